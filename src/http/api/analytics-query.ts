import { z } from 'zod';
import {
  type AnalyticsQuery,
  botChoices,
  dimensions,
  groupings,
  intervals,
  type Moment,
} from '../../analytics/query/query.ts';
import { botKinds } from '../../clicks/enrichment/agents/bot-kinds.ts';
import { deviceKinds } from '../../clicks/enrichment/agents/device-kinds.ts';
import { toCountryCode } from '../../clicks/enrichment/geoip/country-code.ts';
import { wholeNumberText } from '../../validation/integer.ts';
import { readTime } from '../../validation/rfc3339.ts';
import { timeZone } from '../../validation/time-zone.ts';
import { plainText } from './url-filter-query.ts';

const maxGroups = 1_000;

const mustBeMoment = 'must be a time such as 2027-01-31T12:00:00Z or a day such as 2027-01-31';
/** Where all is known about time zones, and nothing overflows. */
const isNear = (text: string) => text >= '2000' && text < '3000';
const isDay = (text: string) => z.iso.date().safeParse(text).success;

/** A time, or a day as it is. */
const moment = z
  .string(mustBeMoment)
  .refine((text) => !/^\d{4}-/.test(text) || isNear(text), 'must be of the years 2000 to 2999')
  .transform((text, context): Moment => (isDay(text) ? text : readTime(text, context, mustBeMoment)))
  .meta({
    anyOf: [
      { type: 'string', format: 'date' },
      { type: 'string', format: 'date-time' },
    ],
  });

const isTrue = z
  .enum(['true', 'false'], 'must be true or false')
  .default('false')
  .transform((text) => text === 'true');

const limit = wholeNumberText(1, maxGroups);

export const tagFilter = plainText.min(1, 'must not be empty').optional().describe('One that they have');

const bots = z
  .enum(botChoices, `must be one of ${botChoices.join(', ')}`)
  .default('include')
  .describe('With `include` all clicks count, as in `click_count`');

/** A range of time, in a query. */
const rangeQuery = z.strictObject({
  from: moment.optional().describe('A time, or the beginning of a day; 30 days before `to` by default'),
  to: moment.optional().describe('Not included, but for a day, which is; the end of today by default'),
  timezone: timeZone
    .prefault('UTC')
    .describe('Name of the time zone, in upper or lower case, whose days, hours and weeks are meant'),
});

export const topQuery = rangeQuery.extend({ tag: tagFilter, bots, limit: limit.default(20) });

const day = z.iso
  .date('must be a day such as 2027-01-31')
  .refine(isNear, 'must be of the years 2000 to 2999')
  .optional();

export const unknownCodesQuery = z.strictObject({
  from: day.describe('30 days by default'),
  to: day.describe('Included; today by default'),
  limit: limit.max(100, 'must be at most 100').default(20).describe('Codes of each day'),
});

const meaning = 'Only clicks with this value; empty: those of which it is unknown';
const filter = plainText.optional().describe(meaning);

/** A filter by one of few values: another one could never match. */
const filterOf = (values: readonly string[]) =>
  z
    .enum(['', ...values], `must be empty or one of ${values.join(', ')}`)
    .optional()
    .describe(meaning);

const country = plainText
  .refine(
    (text) => text === '' || toCountryCode(text) !== '',
    'must be two letters of ISO 3166-1, such as DE, or empty',
  )
  .transform(toCountryCode)
  .optional()
  .describe(`${meaning}. Two letters of ISO 3166-1`);

/** As referrers are stored. */
const storedReferrer = /^(ios-app:\/\/\d+|[^\s/?#@]*)$/;
const referrer = plainText
  .toLowerCase()
  .regex(storedReferrer, 'must be a host name without scheme and path, such as example.com, an app, or empty')
  .optional()
  .describe(`${meaning}. A host name, or an app such as com.slack or ios-app://544007664`);

export const urlAnalyticsQuery = rangeQuery.extend({
  group_by: z.enum(groupings, `must be one of ${groupings.join(', ')}`).default('time'),
  interval: z
    .enum(intervals, `must be one of ${intervals.join(', ')}`)
    .default('day')
    .describe('Width of the groups by time; weeks begin on Monday'),
  bots,
  compare: z
    .enum(['previous'], 'must be previous')
    .optional()
    .describe('Tells the clicks of the range before, which is as long, too'),
  visitors: isTrue.describe(
    'Whether to count different visitors, which reads single clicks and takes longer',
  ),
  limit: limit.default(50).describe('Values that are told apart at most; the rest is `other`'),
  country,
  referrer,
  browser: filter,
  os: filter,
  device: filterOf(deviceKinds),
  bot_kind: filterOf(botKinds),
});

export const analyticsQuery = urlAnalyticsQuery.extend({ tag: tagFilter });

/** The question of a query, but for whose clicks are meant. */
export function toAnalyticsQuery(query: z.output<typeof urlAnalyticsQuery>): Omit<AnalyticsQuery, 'scope'> {
  const given = dimensions.flatMap((dimension) => {
    const value = query[dimension];
    return value === undefined ? [] : [[dimension, value] as const];
  });
  return {
    from: query.from,
    to: query.to,
    timezone: query.timezone,
    groupBy: query.group_by,
    interval: query.interval,
    filters: Object.fromEntries(given),
    bots: query.bots,
    compare: query.compare === 'previous',
    visitors: query.visitors,
    limit: query.limit,
  };
}
