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

/** So that even those of many millions of short URLs add up to a number that is exact. */
const maxClickCount = 1_000_000_000;

/** Numbers are texts too where a service writes JSON. */
const orNumber = <Text extends z.ZodType<string, string>>(text: Text) =>
  z.preprocess((value) => (typeof value === 'number' ? String(value) : value), text);
/** JSON has numbers, CSV texts; what is neither is no number. */
const fromNumber = <Value extends z.ZodType<number>>(number: Value) =>
  z.preprocess((value) => (['number', 'string'].includes(typeof value) ? value : Number.NaN), number);
/** Yes or no; JSON may have it as a number. */
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

/** What stands for bytes that could not be read: the rest would be another code, or lead elsewhere. */
const isWhole = (text: string) => !text.includes('\uFFFD');
const notWhole = 'has a character that cannot be read';

/** What a short URL leads to, and who may follow it. Without these it would be another one, or open to everybody: a row in which
 *  one of them cannot be read is refused. */
const primary = z.object({
  original_url: z
    .string({ error: ({ input }) => (input === undefined ? 'is required' : 'must be a string') })
    .refine(isWhole, notWhole),
  short_code: orNumber(
    z
      .string('must be a string')
      .refine(isWhole, { error: notWhole, abort: true })
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
    .refine((has) => !has, 'is true, and a short URL without its password would be open to everybody')
    .optional(),
});

/** What belongs to a short URL that works without it. */
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

/** A short URL that a row asks for. */
export interface WantedUrl extends UrlSettings {
  /** Undefined where a key is to be its code. */
  shortCode: string | undefined;
  originalUrl: string;
  createdAt: Date | undefined;
  clickCount: number;
  lastAccessedAt: Date | null;
}

/** What is wrong with one field of a row, as the end of a sentence that begins with the field's name. */
export interface RowProblem {
  field: string;
  code?: ErrorCode;
  reason: string;
}

/** Why a row was not imported. */
export type ErrorCode = 'invalid' | 'unreadable' | 'code-taken' | 'code-deleted';

/** What is to be said about a row that was imported. */
export interface RowWarning extends Omit<ValueWarning, 'code'> {
  field: string;
  code: ValueWarning['code'] | 'restored';
}

/** How a row calls what rules between settings are about. */
const fieldOf: Partial<Record<InputField, RowField>> = { startsAt: 'starts_at', maxClicks: 'max_clicks' };

export type Fields = Partial<Record<RowField, unknown>>;

/** The short URL that a row's fields ask for, by the rules of the service, and what it is imported without; or why it is refused. */
export function readRow(
  fields: Fields,
  normaliseUrl: DestinationPolicy,
): { url: WantedUrl; warnings: RowWarning[] } | { problems: RowProblem[] } {
  const parsed = primary.safeParse(fields);
  const problems: RowProblem[] = (parsed.error?.issues ?? []).map(({ path, message }) => ({
    field: path.join('.'),
    reason: message,
  }));
  if (!parsed.success) return { problems };
  const { data } = parsed;
  const originalUrl = orRefusal(normaliseUrl, data.original_url);
  if ('refusal' in originalUrl) return { problems: [{ field: 'original_url', reason: originalUrl.refusal }] };
  const { values, warnings } = readSecondaries(fields);
  const fallback = readFallback(fields.fallback_url, normaliseUrl);
  const url: WantedUrl = {
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

function readSecondaries(fields: Fields): { values: SecondaryValues; warnings: RowWarning[] } {
  const read = (Object.keys(readers) as SecondaryField[])
    .filter((field) => fields[field] !== undefined)
    .map((field) => [field, readers[field](fields[field]) as secondary.Secondary<unknown>] as const);
  return {
    values: Object.fromEntries(read.map(([field, { value }]) => [field, value])) as SecondaryValues,
    warnings: read.flatMap(([field, value]) => warningOf(field, value)),
  };
}

const warningOf = (field: string, { warning }: secondary.Secondary<unknown>): RowWarning[] =>
  warning ? [{ field, ...warning }] : [];

function readFallback(given: unknown, normaliseUrl: DestinationPolicy): secondary.Secondary<string> {
  if (given === undefined) return { value: undefined };
  const found = orRefusal(normaliseUrl, typeof given === 'string' ? given : '');
  if ('href' in found) return { value: found.href };
  return { value: undefined, warning: { code: 'dropped', reason: `${found.refusal} and was dropped` } };
}

function orRefusal(normaliseUrl: DestinationPolicy, given: string): { href: string } | { refusal: string } {
  try {
    return { href: normaliseUrl(given) };
  } catch (error) {
    if (!(error instanceof UrlRejected)) throw error;
    return { refusal: error.message };
  }
}
