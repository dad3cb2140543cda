import { z } from 'zod';
import { isShortCode, shortCodePattern } from '../urls/short-code.ts';
import { type UrlPolicy, UrlRefused } from '../urls/url-policy.ts';
import { type Asked, refusalsOf } from '../urls/url-rules.ts';
import { notes, tags, title } from '../urls/url-texts.ts';
import { redirectStatuses, type UrlSettings } from '../urls/url.ts';
import { wholeNumberText } from '../whole-number.ts';

/** So that even those of many millions of short URLs add up to a number that is exact. */
const maxClickCount = 1_000_000_000;

/** Numbers are texts too where a service writes JSON. */
const orNumber = <Text extends z.ZodType<string, string>>(text: Text) =>
  z.preprocess((value) => (typeof value === 'number' ? String(value) : value), text);
/** JSON has numbers, CSV texts; what is neither is no number. */
const fromNumber = <Value extends z.ZodType<number>>(number: Value) =>
  z.preprocess((value) => (['number', 'string'].includes(typeof value) ? value : Number.NaN), number);
const count = (min: number, max: number) => fromNumber(wholeNumberText(min, max));
const flag = z.union([z.boolean(), z.stringbool()], 'must be true or false');

/** A time with or without an offset from UTC, which it is in otherwise; as the services that are imported from write it. */
const timePattern =
  /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?)? ?(?:Z|[+-]\d\d(?::?\d\d)?|UTC)?$/;
const time = z.string('must be a time').transform((given, context) => {
  const at = timePattern.test(given) ? parseTime(given) : Number.NaN;
  if (!Number.isNaN(at)) return new Date(at);
  context.addIssue({ code: 'custom', message: 'must be a time such as 2027-01-31T12:00:00Z' });
  return z.NEVER;
});

function parseTime(given: string): number {
  const date = given.slice(0, 10);
  const [, hours = '00:00', offset = 'Z'] =
    /^(?:[T ](\d\d:\d\d[\d:.,]*))? ?(?:(Z|[+-]\d\d(?::?\d\d)?)|UTC)?$/.exec(given.slice(10)) ?? [];
  const zone = offset.replace(
    /^(.\d\d):?(\d\d)?$/,
    (_, sign: string, minutes = '00') => `${sign}:${minutes}`,
  );
  return isDay(date) ? Date.parse(`${date}T${hours.replace(',', '.')}${zone}`) : Number.NaN;
}

/** Whether there is such a day, which the parser itself does not ask: to it, 30 February is in March. */
function isDay(date: string): boolean {
  const at = Date.parse(`${date}T00:00Z`);
  return !Number.isNaN(at) && date > '0001' && new Date(at).toISOString().startsWith(date);
}

/** What a row may say of a short URL. What it leaves out is as by default. */
const importRow = z.object({
  original_url: z.string({ error: ({ input }) => (input === undefined ? 'is needed' : 'must be text') }),
  short_code: orNumber(
    z
      .string('must be text')
      .overwrite((code) => code.normalize('NFC'))
      .regex(shortCodePattern, 'must be 1 to 64 letters or digits, "-" or "_", with single dots between')
      .refine((code) => !shortCodePattern.test(code) || isShortCode(code), 'is a reserved word'),
  ).optional(),
  created_at: time.optional(),
  starts_at: time.optional(),
  expires_at: time.optional(),
  max_clicks: count(1, maxClickCount).optional(),
  is_active: flag.default(true),
  is_one_time: flag.default(false),
  has_password: flag
    .refine((has) => !has, 'is true, and a short URL without its password would be open to everybody')
    .optional(),
  fallback_url: z.string('must be text').optional(),
  redirect_status: fromNumber(z.coerce.number('must be 301, 302, 307 or 308'))
    .pipe(z.literal(redirectStatuses, 'must be 301, 302, 307 or 308'))
    .optional(),
  redirect_max_age_seconds: count(0, 31_536_000).optional(),
  forward_query: flag.default(false),
  crawlable: flag.default(false),
  title: orNumber(title).optional(),
  notes: orNumber(notes).optional(),
  tags: tags.default([]),
  click_count: count(0, maxClickCount).default(0),
  last_accessed_at: time.optional(),
});

export type RowField = keyof z.input<typeof importRow>;

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
  reason: string;
}

/** How a row calls what rules between settings are about. */
const fieldOf: Partial<Record<Asked, RowField>> = { startsAt: 'starts_at', maxClicks: 'max_clicks' };

/** The short URL that a row's fields ask for, by the rules of the service, or what is wrong with them. */
export function readRow(
  fields: Partial<Record<RowField, unknown>>,
  normaliseUrl: UrlPolicy,
): { url: WantedUrl } | { problems: RowProblem[] } {
  const parsed = importRow.safeParse(fields);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => ({
      field: path.join('.'),
      reason: message,
    }));
    return { problems };
  }
  const { data } = parsed;
  const problems: RowProblem[] = [];
  const normalise = (field: RowField, given: string) => {
    try {
      return normaliseUrl(given);
    } catch (error) {
      if (!(error instanceof UrlRefused)) throw error;
      problems.push({ field, reason: error.message });
      return '';
    }
  };
  const url: WantedUrl = {
    shortCode: data.short_code,
    originalUrl: normalise('original_url', data.original_url),
    createdAt: data.created_at,
    isActive: data.is_active,
    startsAt: data.starts_at ?? null,
    expiresAt: data.expires_at ?? null,
    maxClicks: data.max_clicks ?? null,
    isOneTime: data.is_one_time,
    passwordHash: null,
    fallbackUrl: data.fallback_url === undefined ? null : normalise('fallback_url', data.fallback_url),
    redirectStatus: data.redirect_status ?? null,
    redirectMaxAgeSeconds: data.redirect_max_age_seconds ?? null,
    forwardQuery: data.forward_query,
    crawlable: data.crawlable,
    title: data.title ?? null,
    notes: data.notes ?? null,
    tags: data.tags,
    clickCount: data.click_count,
    lastAccessedAt: data.last_accessed_at ?? null,
  };
  for (const { asked, reason } of refusalsOf(url)) problems.push({ field: fieldOf[asked] ?? asked, reason });
  return problems.length > 0 ? { problems } : { url };
}
