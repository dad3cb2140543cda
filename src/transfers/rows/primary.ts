import { z } from 'zod';
import { foldCode, isShortCode, shortCodePattern } from '../../keys/short-code.ts';
import { wholeNumberText } from '../../validation/integer.ts';
import { readTime } from './time.ts';

/** Keeps the sum over many millions of short URLs below 2^53. */
export const maxClickCount = 1_000_000_000;

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

type Given = Partial<Record<PrimaryField, unknown>>;

const usualCode = /^[\w-]{1,64}$/;
const flags = new Map<unknown, boolean>([
  [true, true],
  ['true', true],
  [false, false],
  ['false', false],
]);

/** Reads primary fields with the usual, valid values as `primary` does, which takes several times as long; undefined for others. */
function readUsual(fields: Given): z.ZodSafeParseSuccess<z.output<typeof primary>> | undefined {
  const { original_url: url, short_code: code, max_clicks, has_password = false } = fields;
  if (typeof url !== 'string' || !isDecoded(url)) return undefined;
  if (max_clicks !== undefined || flags.get(has_password) !== false) return undefined;
  if (code !== undefined && !(typeof code === 'string' && usualCode.test(code) && isShortCode(code)))
    return undefined;
  // Not "??": null is invalid.
  const { is_active = true, is_one_time = false } = fields;
  const isActive = flags.get(is_active);
  const isOneTime = flags.get(is_one_time);
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

/** The fields of the destination and the access rules. */
export type PrimaryField = keyof z.input<typeof primary>;
export const primaryFields = Object.keys(primary.shape);

/** Parses the destination and the access rules of a row, with the issues of invalid ones. */
export const readPrimary = (fields: Given) => readUsual(fields) ?? primary.safeParse(fields);
