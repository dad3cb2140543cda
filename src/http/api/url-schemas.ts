import { z } from 'zod';
import { foldCode } from '../../keys/short-code.ts';
import { type CustomCodeRules, defaultCodeRules, customCodeViolation } from '../../urls/input/custom-code.ts';
import { urlLengths } from '../../urls/input/destination-policy.ts';
import type { SettingsInput } from '../../urls/input/parse-input.ts';
import { shortUrlOf } from '../../urls/short-url.ts';
import { defaultSettings, type ShortUrl } from '../../urls/url.ts';
import { timestamp } from './schemas.ts';
import { type UrlSettingFields, urlSettings } from './url-settings.ts';

const hourMs = 3_600_000;

const expiryFields = ['expires_in_seconds', 'expires_in_hours', 'expires_at'] as const;

function refuseTwoExpiries(body: UrlSettingFields, context: z.RefinementCtx): void {
  const given = expiryFields.filter((field) => body[field] != null);
  if (given.length < 2) return;
  const message = `must not be given together with another of ${expiryFields.join(', ')}`;
  for (const field of given) context.addIssue({ code: 'custom', path: [field], message });
}

const originalUrl = z
  .string({ error: (issue) => (issue.input === undefined ? 'is needed' : 'must be text') })
  .meta({
    description: 'Where it leads: http or https, and other schemes that the service allows',
    format: 'uri',
    maxLength: urlLengths.most,
    example: 'https://example.com/page',
  });

const customCode = (rules: CustomCodeRules) =>
  z
    .string('must be text')
    .overwrite((code) => foldCode(code.normalize('NFC')))
    .superRefine((code, context) => {
      const message = customCodeViolation(code, rules);
      if (message !== undefined) context.addIssue({ code: 'custom', message });
    })
    .meta({
      description:
        'Which codes may be chosen is a setting of the service; by default 4 to 32 letters, digits, "-" or "_"',
      minLength: 1,
      maxLength: 64,
    });

const findIfExists = z.boolean('must be true or false').meta({
  description:
    'Answers 200 with one that is there, rather than create another: made with the same API key, it leads to the same URL under ' +
    'the same settings (and `custom_code`, if given), and is active. None with a password or a click limit, and none that is ' +
    'one-time, is ever found.',
});

const restoreDeleted = z.boolean('must be true or false').meta({
  description:
    'If a deleted short URL that this API key created has the `custom_code`, restores it with the original URL and the settings of ' +
    'this request, and answers 200. Its id, clicks and time of creation stay.',
});

function requireCustomCode(
  body: { custom_code?: unknown; restore_deleted?: unknown },
  context: z.RefinementCtx,
): void {
  if (body.restore_deleted !== true || body.custom_code != null) return;
  context.addIssue({
    code: 'custom',
    path: ['restore_deleted'],
    message: 'must be given together with custom_code',
  });
}

/** What a short URL is created from, where clients may choose such codes. */
export const createNewUrl = (rules: CustomCodeRules) =>
  z
    .strictObject(
      {
        original_url: originalUrl,
        custom_code: customCode(rules).nullish(),
        find_if_exists: findIfExists.nullish(),
        restore_deleted: restoreDeleted.nullish(),
        ...urlSettings,
      },
      'must be a JSON object',
    )
    .superRefine(refuseTwoExpiries)
    .superRefine(requireCustomCode)
    .meta({ id: 'NewUrl', example: { original_url: 'https://example.com/page', title: 'A page' } });

/** The same as it is by default. */
export const newUrl = createNewUrl(defaultCodeRules);

/** What of a short URL is to change; what is not given stays, null is what holds by default. */
export const urlChanges = z
  .strictObject({ original_url: originalUrl.optional(), ...urlSettings }, 'must be a JSON object')
  .superRefine(refuseTwoExpiries)
  .meta({ id: 'UrlChanges', example: { title: 'Another page', tags: ['spring'] } });

/** The same for one short URL, which may also get another code, where clients may choose such codes. */
export const createUrlChange = (rules: CustomCodeRules) =>
  urlChanges
    .safeExtend({
      short_code: customCode(rules)
        .meta({
          description:
            'Another code: the short URL redirects under it from now on. See `custom_code` for which codes may be chosen',
        })
        .optional(),
      keep_old_code: z
        .boolean('must be true or false')
        .meta({
          description:
            'Whether the current code keeps redirecting to this short URL, which it does by default. Otherwise it answers 404, and is ' +
            'reserved for the API key that created the short URL as long as a deletion would have kept it. Only together with `short_code`',
        })
        .optional(),
    })
    .superRefine(({ short_code: code, keep_old_code: keeps }, context) => {
      if (keeps === undefined || code !== undefined) return;
      const message = 'must be given together with short_code';
      context.addIssue({ code: 'custom', path: ['keep_old_code'], message });
    })
    .meta({ id: 'UrlChange', example: { short_code: 'autumn-sale', title: 'Another page' } });

/** The same as it is by default. */
export const urlChange = createUrlChange(defaultCodeRules);

/** What a create does about a short URL that exists already. */
export const readConflictRules = (body: z.output<typeof newUrl>) => ({
  reusesExisting: body.find_if_exists ?? false,
  restoresDeleted: body.restore_deleted ?? false,
});

/** When a short URL's time is over, or null for never; undefined when nothing is said about it. */
function expiryOf(body: UrlSettingFields, now: number): Date | null | undefined {
  if (body.expires_in_seconds != null) return new Date(now + body.expires_in_seconds * 1_000);
  if (body.expires_in_hours != null) return new Date(now + body.expires_in_hours * hourMs);
  return body.expires_at;
}

/** The settings that a body speaks of, as the domain calls them. */
export function readSettings(body: UrlSettingFields, now: number): SettingsInput {
  const given: { [Setting in keyof Required<SettingsInput>]: SettingsInput[Setting] | null } = {
    isActive: body.is_active,
    startsAt: body.starts_at,
    expiresAt: expiryOf(body, now),
    maxClicks: body.max_clicks,
    isOneTime: body.is_one_time,
    password: body.password,
    fallbackUrl: body.fallback_url,
    redirectStatus: body.redirect_status,
    redirectMaxAgeSeconds: body.redirect_max_age_seconds,
    forwardQuery: body.forward_query,
    crawlable: body.crawlable,
    title: body.title,
    notes: body.notes,
    tags: body.tags,
  };
  const defaults = { ...defaultSettings, password: null };
  const settings = Object.entries(given).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    settings.map(([name, value]) => [name, value ?? defaults[name as keyof typeof defaults]]),
  );
}

const shownFields = z.object({
  id: z.int(),
  short_code: z.string(),
  short_url: z.url(),
  original_url: z.string(),
  title: z.string().nullable(),
  tags: z.array(z.string()),
  notes: z.string().nullable(),
  created_at: timestamp,
  updated_at: timestamp,
  starts_at: timestamp.nullable(),
  expires_at: timestamp.nullable(),
  max_clicks: z.int().nullable(),
  is_one_time: z.boolean(),
  has_password: z.boolean(),
  is_active: z.boolean().meta({ description: 'False as well once the clean-up has found it expired' }),
  redirect_status: z.int().nullable(),
  redirect_max_age_seconds: z.int().nullable(),
  forward_query: z.boolean(),
  fallback_url: z.string().nullable(),
  crawlable: z.boolean(),
  created_by: z.int().nullable().meta({ description: 'The API key that created it' }),
  aliases: z
    .array(z.string())
    .meta({ description: 'Old codes that redirect to it, the oldest first: see `keep_old_code`' }),
  version: z.int().meta({ description: 'Higher after each change; also in `ETag`' }),
});

/** A short URL as the API shows it. */
export const shownUrl = shownFields.meta({ id: 'ShortUrl' });

/** A short URL with how often it was clicked. */
export const countedUrl = shownFields.extend({ click_count: z.int() }).meta({ id: 'CountedUrl' });

export const presentUrl = (url: ShortUrl, baseUrl: string): z.input<typeof shownUrl> => ({
  id: url.id,
  short_code: url.shortCode,
  short_url: shortUrlOf(baseUrl, url.shortCode),
  original_url: url.originalUrl,
  title: url.title,
  tags: url.tags,
  notes: url.notes,
  created_at: url.createdAt.toISOString(),
  updated_at: url.updatedAt.toISOString(),
  starts_at: url.startsAt?.toISOString() ?? null,
  expires_at: url.expiresAt?.toISOString() ?? null,
  max_clicks: url.maxClicks,
  is_one_time: url.isOneTime,
  has_password: url.passwordHash !== null,
  is_active: url.isActive,
  redirect_status: url.redirectStatus,
  redirect_max_age_seconds: url.redirectMaxAgeSeconds,
  forward_query: url.forwardQuery,
  fallback_url: url.fallbackUrl,
  crawlable: url.crawlable,
  created_by: url.createdBy,
  aliases: url.aliases ?? [],
  version: url.version,
});
