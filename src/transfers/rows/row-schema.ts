import { type DestinationPolicy, UrlRejected } from '../../urls/input/destination-policy.ts';
import { type InputField, violationsOf } from '../../urls/input/rules.ts';
import { textLimits } from '../../urls/input/texts.ts';
import { redirectStatuses, type UrlSettings } from '../../urls/url.ts';
import { maxClickCount, type PrimaryField, primaryFields, readPrimary } from './primary.ts';
import * as secondary from './secondary.ts';
import type { ReadSecondary, ValueWarning } from './secondary.ts';

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

export type RowField = PrimaryField | SecondaryField | 'fallback_url';

/** The fields of a short URL that a row may have. */
export const rowFields = [...primaryFields, 'fallback_url', ...Object.keys(readers)] as RowField[];

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
  const parsed = readPrimary(fields);
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
