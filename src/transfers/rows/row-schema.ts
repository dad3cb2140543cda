import { z } from 'zod';
import { foldCode, isShortCode, shortCodePattern } from '../../keys/short-code.ts';
import { type DestinationPolicy, UrlRejected } from '../../urls/input/destination-policy.ts';
import { type InputField, violationsOf } from '../../urls/input/rules.ts';
import { textLimits } from '../../urls/input/texts.ts';
import { redirectStatuses, type UrlSettings } from '../../urls/url.ts';
import { wholeNumberText } from '../../validation/integer.ts';
import * as secondary from './secondary.ts';
import type { ReadSecondary, ValueWarning } from './secondary.ts';
import { readTime } from './time.ts';

/** Keeps the sum over many millions of short URLs below 2^53. */
const maxClickCount = 1_000_000_000;

/** In JSON, a text may be a number. */
const orNumber = <Text extends z.ZodType<string, string>>(text: Text) =>
  z.preprocess((value) => (typeof value === 'number' ? String(value) : value), text);
/** A number in JSON or a text in CSV. */
const fromNumber = <Value extends z.ZodType<number>>(number: Value) =>
  z.preprocess((value) => (['number', 'string'].includes(typeof value) ? value : Number.NaN), number);
/** A boolean, a text, or a number in JSON. */
const flag = z.preprocess(
  (value) => (typeof value === 'number' ? String(value) : value),
  z.union([z.boolean(), z.stringbool()], 'must be true or false'),
);

const time = z.unknown().transform((given, context) => {
  const at = readTime(given);
  if (at) return at;
  context.addIssue({ code: 'custom', message: 'must be a time such as 2027-01-31T12:00:00Z' });
  return z.NEVER;
});

/** U+FFFD replaces undecodable bytes: the rest would be another code or another destination. */
const isDecoded = (text: string) => !text.includes('\uFFFD');
const notDecoded = 'has an undecodable character';

/** The destination of a short URL and its access rules. A row is rejected when one of these is invalid, because the short URL would redirect
 *  elsewhere or be accessible to everyone. */
const primary = z.object({
  original_url: z
    .string({ error: ({ input }) => (input === undefined ? 'is required' : 'must be a string') })
    .refine(isDecoded, notDecoded),
  short_code: orNumber(
    z
      .string('must be a string')
      .refine(isDecoded, { error: notDecoded, abort: true })
      .overwrite((code) => foldCode(code.normalize('NFC')))
      .regex(shortCodePattern, 'must be 1 to 64 letters or digits, "-" or "_", with single dots between')
      .refine((code) => !shortCodePattern.test(code) || isShortCode(code), 'is a reserved word'),
  ).optional(),
  starts_at: time.optional(),
  expires_at: time.optional(),
  max_clicks: fromNumber(wholeNumberText(1, maxClickCount)).optional(),
  is_active: flag.default(true),
  is_one_time: flag.default(false),
  has_password: flag
    .refine(
      (has) => !has,
      'is true, but passwords are not imported, and the short URL would be accessible to everyone',
    )
    .optional(),
});

const usualCode = /^[\w-]{1,64}$/;
const flags = new Map<unknown, boolean>([
  [true, true],
  ['true', true],
  [false, false],
  ['false', false],
]);

/** Reads primary fields with the usual, valid values as `primary` does, which takes several times as long; undefined for others. */
function readUsual(fields: Fields): z.ZodSafeParseSuccess<z.output<typeof primary>> | undefined {
  const { original_url: url, short_code: code, max_clicks, has_password = false } = fields;
  if (typeof url !== 'string' || !isDecoded(url)) return undefined;
  if (max_clicks !== undefined || flags.get(has_password) !== false) return undefined;
  if (code !== undefined && !(typeof code === 'string' && usualCode.test(code) && isShortCode(code)))
    return undefined;
  const isActive = flags.get(fields.is_active ?? true);
  const isOneTime = flags.get(fields.is_one_time ?? false);
  if (isActive === undefined || isOneTime === undefined) return undefined;
  const startsAt = fields.starts_at === undefined ? undefined : readTime(fields.starts_at);
  const expiresAt = fields.expires_at === undefined ? undefined : readTime(fields.expires_at);
  if (startsAt === undefined && fields.starts_at !== undefined) return undefined;
  if (expiresAt === undefined && fields.expires_at !== undefined) return undefined;
  const data = {
    original_url: url,
    short_code: code === undefined ? undefined : foldCode(code),
    starts_at: startsAt,
    expires_at: expiresAt,
    is_active: isActive,
    is_one_time: isOneTime,
  };
  return { success: true, data };
}

/** Optional fields: an invalid value is dropped with a warning. */
const readers = {
  created_at: secondary.time,
  redirect_status: secondary.oneOf(redirectStatuses),
  redirect_max_age_seconds: secondary.count(31_536_000),
  forward_query: secondary.flag,
  crawlable: secondary.flag,
  title: secondary.text({ max: textLimits.title }),
  notes: secondary.text({ max: textLimits.notes, lines: true }),
  tags: secondary.tags,
  click_count: secondary.count(maxClickCount),
  last_accessed_at: secondary.time,
} satisfies Record<string, ReadSecondary<unknown>>;

type SecondaryField = keyof typeof readers;
type SecondaryValues = {
  [Field in SecondaryField]: (typeof readers)[Field] extends ReadSecondary<infer Value>
    ? Value | undefined
    : never;
};

export type RowField = keyof z.input<typeof primary> | SecondaryField | 'fallback_url';

/** The fields of a short URL that a row may have. */
export const rowFields = [
  ...Object.keys(primary.shape),
  'fallback_url',
  ...Object.keys(readers),
] as RowField[];

/** The short URL of a row. */
export interface ImportedUrl extends UrlSettings {
  /** Undefined for a generated code. */
  shortCode: string | undefined;
  originalUrl: string;
  createdAt: Date | undefined;
  clickCount: number;
  lastAccessedAt: Date | null;
}

/** A problem of a field; the reason is the end of a sentence that begins with the name of the field. */
export interface RowProblem {
  field: string;
  code?: ErrorCode;
  reason: string;
}

/** Why a row was not imported. */
export type ErrorCode = 'invalid' | 'unreadable' | 'code-taken' | 'code-deleted';

/** A warning about an imported row. */
export interface RowWarning extends Omit<ValueWarning, 'code'> {
  field: string;
  code: ValueWarning['code'] | 'restored';
}

/** The fields of the rules between settings. */
const fieldOf: Partial<Record<InputField, RowField>> = { startsAt: 'starts_at', maxClicks: 'max_clicks' };

export type Fields = Partial<Record<RowField, unknown>>;

/** Parses a row into a short URL with warnings, or into the problems why it is rejected. */
export function readRow(
  fields: Fields,
  normaliseUrl: DestinationPolicy,
): { url: ImportedUrl; warnings: RowWarning[] } | { problems: RowProblem[] } {
  const parsed = readUsual(fields) ?? primary.safeParse(fields);
  const problems: RowProblem[] = (parsed.error?.issues ?? []).map(({ path, message }) => ({
    field: path.join('.'),
    reason: message,
  }));
  if (!parsed.success) return { problems };
  const { data } = parsed;
  const originalUrl = parseDestination(normaliseUrl, data.original_url);
  if ('violation' in originalUrl)
    return { problems: [{ field: 'original_url', reason: originalUrl.violation }] };
  const { values, warnings } = readSecondaries(fields);
  const fallback = readFallback(fields.fallback_url, normaliseUrl);
  const url: ImportedUrl = {
    shortCode: data.short_code,
    originalUrl: originalUrl.href,
    createdAt: values.created_at,
    isActive: data.is_active,
    startsAt: data.starts_at ?? null,
    expiresAt: data.expires_at ?? null,
    maxClicks: data.max_clicks ?? null,
    isOneTime: data.is_one_time,
    passwordHash: null,
    fallbackUrl: fallback.value ?? null,
    redirectStatus: values.redirect_status ?? null,
    redirectMaxAgeSeconds: values.redirect_max_age_seconds ?? null,
    forwardQuery: values.forward_query ?? false,
    crawlable: values.crawlable ?? false,
    title: values.title ?? null,
    notes: values.notes ?? null,
    tags: values.tags ?? [],
    clickCount: values.click_count ?? 0,
    lastAccessedAt: values.last_accessed_at ?? null,
  };
  for (const { field, reason } of violationsOf(url))
    problems.push({ field: fieldOf[field] ?? field, reason });
  if (problems.length > 0) return { problems };
  return { url, warnings: [...warnings, ...warningOf('fallback_url', fallback)] };
}

const secondaryFields = Object.keys(readers) as SecondaryField[];

function readSecondaries(fields: Fields): { values: Partial<SecondaryValues>; warnings: RowWarning[] } {
  const values: Partial<Record<SecondaryField, unknown>> = {};
  const warnings: RowWarning[] = [];
  for (const field of secondaryFields) {
    if (fields[field] === undefined) continue;
    const { value, warning }: secondary.Secondary<unknown> = readers[field](fields[field]);
    values[field] = value;
    if (warning) warnings.push({ field, ...warning });
  }
  return { values: values as Partial<SecondaryValues>, warnings };
}

const warningOf = (field: string, { warning }: secondary.Secondary<unknown>): RowWarning[] =>
  warning ? [{ field, ...warning }] : [];

function readFallback(given: unknown, normaliseUrl: DestinationPolicy): secondary.Secondary<string> {
  if (given === undefined) return { value: undefined };
  const found = parseDestination(normaliseUrl, typeof given === 'string' ? given : '');
  if ('href' in found) return { value: found.href };
  return { value: undefined, warning: { code: 'dropped', reason: `${found.violation} and was dropped` } };
}

function parseDestination(
  normaliseUrl: DestinationPolicy,
  given: string,
): { href: string } | { violation: string } {
  try {
    return { href: normaliseUrl(given) };
  } catch (error) {
    if (!(error instanceof UrlRejected)) throw error;
    return { violation: error.message };
  }
}
