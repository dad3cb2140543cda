import { z } from 'zod';
import { isShortCode, shortCodePattern } from '../../urls/short-code.ts';
import type { ShortUrl } from '../../urls/url.ts';
import { timestamp } from './schemas.ts';

/** A hundred years: far enough for people, near enough for PostgreSQL. */
const maxSeconds = 100 * 365 * 24 * 3_600;
const hourMs = 3_600_000;

const expiryFields = ['expires_in_seconds', 'expires_in_hours', 'expires_at'] as const;

/** What a short URL is created from. */
export const newUrl = z
  .strictObject(
    {
      original_url: z
        .string({ error: (issue) => (issue.input === undefined ? 'is needed' : 'must be text') })
        .meta({ format: 'uri', maxLength: 2_048, example: 'https://example.com/a?page=1' }),
      custom_code: z
        .string('must be text')
        .regex(shortCodePattern, 'must be 4 to 32 letters, digits, "-" or "_"')
        .refine((code) => !shortCodePattern.test(code) || isShortCode(code), 'is a reserved word')
        .nullish(),
      expires_in_seconds: z
        .int('must be a whole number')
        .min(1, 'must be at least 1')
        .max(maxSeconds, `must be at most ${maxSeconds}`)
        .nullish(),
      expires_in_hours: z
        .int('must be a whole number')
        .min(1, 'must be at least 1')
        .max(8_760, 'must be at most 8760')
        .nullish(),
      expires_at: z.iso
        .datetime({ offset: true, error: 'must be a time such as 2027-01-31T12:00:00Z' })
        .transform((text) => new Date(text))
        .refine((at) => at.getTime() > Date.now(), 'must be in the future')
        .nullish(),
    },
    'must be a JSON object',
  )
  .superRefine((body, context) => {
    const given = expiryFields.filter((field) => body[field] != null);
    if (given.length < 2) return;
    const message = `must not be given together with another of ${expiryFields.join(', ')}`;
    for (const field of given) context.addIssue({ code: 'custom', path: [field], message });
  });

/** When a new short URL's time is over, or null for never. */
export function expiryOf(body: z.output<typeof newUrl>, now: number): Date | null {
  if (body.expires_in_seconds != null) return new Date(now + body.expires_in_seconds * 1_000);
  if (body.expires_in_hours != null) return new Date(now + body.expires_in_hours * hourMs);
  return body.expires_at ?? null;
}

/** A short URL as the API shows it. */
export const shownUrl = z.object({
  id: z.int(),
  short_code: z.string(),
  short_url: z.url(),
  original_url: z.string(),
  created_at: timestamp,
  updated_at: timestamp,
  expires_at: timestamp.nullable(),
});

export const presentUrl = (url: ShortUrl, baseUrl: string): z.input<typeof shownUrl> => ({
  id: url.id,
  short_code: url.shortCode,
  short_url: `${baseUrl}/${url.shortCode}`,
  original_url: url.originalUrl,
  created_at: url.createdAt.toISOString(),
  updated_at: url.updatedAt.toISOString(),
  expires_at: url.expiresAt?.toISOString() ?? null,
});
