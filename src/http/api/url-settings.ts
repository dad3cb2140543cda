import { z } from 'zod';
import { notes, tags, title } from '../../urls/input/texts.ts';
import { redirectStatuses } from '../../urls/url.ts';
import { wholeNumber } from '../../validation/integer.ts';
import { time } from '../../validation/rfc3339.ts';
import { storedText } from '../../validation/text.ts';

/** A hundred years: far enough for people, near enough for PostgreSQL. */
const maxSeconds = 100 * 365 * 24 * 3_600;
const yearSeconds = 365 * 24 * 3_600;
const maxClicks = 1_000_000_000;

/** The years that JavaScript and PostgreSQL write alike, and some fewer. */
const [firstMs, endMs] = [0, Date.UTC(10_000, 0, 1)];

const nearTime = time.refine((at) => at.getTime() >= firstMs && at.getTime() < endMs, {
  error: 'must be between the years 1970 and 9999',
  abort: true,
});

const truth = z.boolean('must be true or false');

/** What its owner may decide about a short URL, when it is created and later. */
export const urlSettings = {
  title: title.nullish(),
  tags: tags.nullish(),
  notes: notes.nullish(),
  is_active: truth.nullish(),
  starts_at: nearTime.meta({ description: 'Before it, visitors get 404' }).nullish(),
  expires_at: nearTime
    .meta({ description: 'From then on, visitors get 410, or are led to `fallback_url`' })
    .nullish(),
  expires_in_seconds: wholeNumber(1, maxSeconds).nullish(),
  expires_in_hours: wholeNumber(1, 8_760).nullish(),
  max_clicks: wholeNumber(1, maxClicks).meta({ description: 'Redirects that it is good for' }).nullish(),
  is_one_time: truth.nullish(),
  password: storedText({ max: 128 }).meta({ description: 'Is never shown: see `has_password`' }).nullish(),
  redirect_status: z.literal(redirectStatuses, 'must be 301, 302, 307 or 308').nullish(),
  redirect_max_age_seconds: wholeNumber(0, yearSeconds)
    .meta({ description: 'How long a browser may keep the redirect; such clicks are not counted' })
    .nullish(),
  forward_query: truth.meta({ description: 'Adds the query of a visitor to `original_url`' }).nullish(),
  fallback_url: z
    .string('must be text')
    .meta({ description: 'Where it leads once it has expired or is used up' })
    .nullish(),
  crawlable: truth.meta({ description: 'Whether `/robots.txt` allows it' }).nullish(),
} as const;

const settingsObject = z.object(urlSettings);

/** What a body says of settings, once it is found in order. */
export type UrlSettingFields = z.output<typeof settingsObject>;
