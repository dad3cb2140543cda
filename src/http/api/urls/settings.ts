import { z } from 'zod';
import { notes, tags, title } from '../../../urls/input/texts.ts';
import { redirectStatuses } from '../../../urls/url.ts';
import { boolean } from '../../../validation/boolean.ts';
import { wholeNumber } from '../../../validation/integer.ts';
import { timeInYears } from '../../../validation/rfc3339.ts';
import { storedText } from '../../../validation/text.ts';

const yearSeconds = 365 * 24 * 3_600;
const maxExpirySeconds = 100 * yearSeconds;
const maxClicks = 1_000_000_000;

/** Years that JavaScript and PostgreSQL format alike. */
const settingTime = timeInYears(1970, 9999);

/** The settings of a short URL, for create and update. */
export const urlSettings = {
  title: title.nullish().describe('Title, shown in lists and on the preview page'),
  tags: tags.nullish().describe('Tags to filter by'),
  notes: notes.nullish().describe('Notes for the owner; visitors never see them'),
  is_active: boolean.nullish().describe('`false` disables the short URL: visitors get 404'),
  starts_at: settingTime.meta({ description: 'Visitors get 404 before this time' }).nullish(),
  expires_at: settingTime
    .meta({ description: 'From this time on visitors get 410, or are redirected to `fallback_url`' })
    .nullish(),
  expires_in_seconds: wholeNumber(1, maxExpirySeconds)
    .meta({ description: 'Sets `expires_at` relative to now' })
    .nullish(),
  expires_in_hours: wholeNumber(1, 8_760)
    .meta({ description: 'Sets `expires_at` relative to now' })
    .nullish(),
  max_clicks: wholeNumber(1, maxClicks)
    .meta({ description: 'Number of redirects after which visitors get 410' })
    .nullish(),
  is_one_time: boolean.nullish().describe('Redirects one visitor, who confirms on an interstitial page'),
  password: storedText({ max: 128 })
    .meta({ description: 'Visitors must enter it. Answers only contain `has_password`' })
    .nullish(),
  redirect_status: z
    .literal(redirectStatuses, 'must be 301, 302, 307 or 308')
    .nullish()
    .describe('HTTP status of the redirect; null for the default of the service'),
  redirect_max_age_seconds: wholeNumber(0, yearSeconds)
    .meta({ description: 'Time for which browsers may cache the redirect. Cached redirects are not counted' })
    .nullish(),
  forward_query: boolean
    .meta({ description: 'Appends the query string of the visit to `original_url`' })
    .nullish(),
  fallback_url: z
    .string('must be a string')
    .meta({ description: 'Redirect target once the short URL has expired or reached its click limit' })
    .nullish(),
  crawlable: boolean.meta({ description: 'Allows crawlers in `/robots.txt`' }).nullish(),
} as const;

const tagList = tags.optional();

/** Changes of the tags that depend on the stored ones, for updates. */
export const tagChanges = {
  add_tags: tagList.describe('Tags to add; those that exist stay where they are'),
  remove_tags: tagList.describe('Tags to remove'),
} as const;

const tagFields = z.object({ tags: urlSettings.tags, ...tagChanges });

export function rejectConflictingTags(
  { tags: all, add_tags: added, remove_tags: removed }: z.output<typeof tagFields>,
  context: z.RefinementCtx,
): void {
  const reject = (field: string, message: string) =>
    context.addIssue({ code: 'custom', path: [field], message });
  if (all !== undefined && added) reject('add_tags', 'must not be given together with tags');
  if (all !== undefined && removed) reject('remove_tags', 'must not be given together with tags');
  if (added?.some((tag) => removed?.includes(tag)))
    reject('remove_tags', 'must not contain a tag of add_tags');
}

const settingsObject = z.object(urlSettings);

/** The settings in a validated body. */
export type UrlSettingFields = z.output<typeof settingsObject>;
