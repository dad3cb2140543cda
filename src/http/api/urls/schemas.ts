import { z } from 'zod';
import {
  type CustomCodeRules,
  defaultCodeRules,
  customCodeViolation,
  normaliseCustomCode,
} from '../../../urls/input/custom-code.ts';
import { urlLengths } from '../../../urls/input/destination-policy.ts';
import type { SettingsInput, UrlInput, UrlPatch } from '../../../urls/input/parse-input.ts';
import { defaultSettings } from '../../../urls/url.ts';
import { boolean } from '../../../validation/boolean.ts';
import { rejectConflictingTags, tagChanges, type UrlSettingFields, urlSettings } from './settings.ts';

const hourMs = 3_600_000;

const expiryFields = ['expires_in_seconds', 'expires_in_hours', 'expires_at'] as const;

function rejectSeveralExpiries(body: UrlSettingFields, context: z.RefinementCtx): void {
  const given = expiryFields.filter((field) => body[field] != null);
  if (given.length < 2) return;
  const message = `must not be given together with another of ${expiryFields.join(', ')}`;
  for (const field of given) context.addIssue({ code: 'custom', path: [field], message });
}

const originalUrl = z
  .string({ error: (issue) => (issue.input === undefined ? 'is required' : 'must be a string') })
  .meta({
    description: 'Redirect target. http, https and further schemes that the operator allows',
    format: 'uri',
    maxLength: urlLengths.most,
    example: 'https://example.com/page',
  });

const customCode = (rules: CustomCodeRules) =>
  z
    .string('must be a string')
    .overwrite(normaliseCustomCode)
    .superRefine((code, context) => {
      const message = customCodeViolation(code, rules);
      if (message !== undefined) context.addIssue({ code: 'custom', message });
    })
    .meta({
      description:
        'Custom short code. By default 4 to 32 letters, digits, "-" or "_"; the operator can configure other rules',
      minLength: 1,
      maxLength: 64,
    });

const findIfExists = boolean.meta({
  description:
    'Returns an existing short URL with status 200 instead of creating another. It must be active and created by this API key, ' +
    'with the same original URL, settings and `custom_code`. Short URLs with a password or click limit never match.',
});

const restoreDeleted = boolean.meta({
  description:
    'Restores a deleted short URL that has the `custom_code` and was created by this API key, with status 200. It takes the original ' +
    'URL and settings of this request, and keeps its ID, clicks and time of creation.',
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

/** The input of a create, under the operator's rules for custom codes. */
export const createUrlInput = (rules: CustomCodeRules) =>
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
    .superRefine(rejectSeveralExpiries)
    .superRefine(requireCustomCode)
    .meta({ id: 'UrlInput', example: { original_url: 'https://example.com/page', title: 'A page' } });

/** The same under the default rules. */
export const urlInput = createUrlInput(defaultCodeRules);

/** The patch of a bulk update: omitted fields stay unchanged, null restores the default. */
export const bulkUrlPatch = z
  .strictObject(
    { original_url: originalUrl.optional(), ...urlSettings, ...tagChanges },
    'must be a JSON object',
  )
  .superRefine(rejectSeveralExpiries)
  .superRefine(rejectConflictingTags)
  .meta({ id: 'BulkUrlPatch', example: { title: 'Another page', tags: ['spring'] } });

/** The patch of one short URL, which can also change its short code. */
export const createUrlPatch = (rules: CustomCodeRules) =>
  bulkUrlPatch
    .safeExtend({
      short_code: customCode(rules)
        .meta({
          description: 'New short code, under the rules of `custom_code`',
        })
        .optional(),
      keep_old_code: boolean
        .meta({
          description:
            'With `short_code`: whether the current code becomes an alias. Defaults to true. Otherwise it answers 404, and stays ' +
            'reserved for the API key that created the short URL for the retention period of deletions.',
        })
        .optional(),
    })
    .superRefine(({ short_code: code, keep_old_code: keeps }, context) => {
      if (keeps === undefined || code !== undefined) return;
      const message = 'must be given together with short_code';
      context.addIssue({ code: 'custom', path: ['keep_old_code'], message });
    })
    .meta({ id: 'UrlPatch', example: { short_code: 'autumn-sale', title: 'Another page' } });

/** The same under the default rules. */
export const urlPatch = createUrlPatch(defaultCodeRules);

/** The domain's input of a create, from a validated body. */
export const toUrlInput = (body: z.output<typeof urlInput>, now: Date): UrlInput => ({
  originalUrl: body.original_url,
  customCode: body.custom_code ?? undefined,
  ...toSettings(body, now),
});

/** What a create does when a matching short URL exists. */
export const toConflictRules = (body: z.output<typeof urlInput>) => ({
  reusesExisting: body.find_if_exists ?? false,
  restoresDeleted: body.restore_deleted ?? false,
});

/** The domain's patch of an update, from a validated body. */
export const toUrlPatch = (body: z.output<typeof bulkUrlPatch>, now: Date): UrlPatch => ({
  ...(body.original_url === undefined ? {} : { originalUrl: body.original_url }),
  ...(body.add_tags?.length && { addTags: body.add_tags }),
  ...(body.remove_tags?.length && { removeTags: body.remove_tags }),
  ...toSettings(body, now),
});

/** The time of expiry, or null for none; undefined where the body does not set it. */
function expiryOf(body: UrlSettingFields, now: Date): Date | null | undefined {
  if (body.expires_in_seconds != null) return new Date(now.getTime() + body.expires_in_seconds * 1_000);
  if (body.expires_in_hours != null) return new Date(now.getTime() + body.expires_in_hours * hourMs);
  return body.expires_at;
}

/** The settings that a body sets; null becomes the default. */
function toSettings(body: UrlSettingFields, now: Date): SettingsInput {
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
