import { z } from 'zod';
import {
  type AnalyticsQuery,
  botChoices,
  dimensions,
  groupings,
  intervals,
  type Moment,
} from '../../../analytics/query/query.ts';
import { botKinds } from '../../../clicks/enrichment/agents/bot-kinds.ts';
import { deviceKinds } from '../../../clicks/enrichment/agents/device-kinds.ts';
import { toCountryCode } from '../../../clicks/enrichment/geoip/country-code.ts';
import { foldCode } from '../../../keys/short-code.ts';
import { booleanText } from '../../../validation/boolean.ts';
import { wholeNumberText } from '../../../validation/integer.ts';
import { readTime } from '../../../validation/rfc3339.ts';
import { timeZone } from '../../../validation/time-zone.ts';
import { pageQuery } from '../pagination.ts';
import { filterText } from '../urls/filter-query.ts';

const maxGroups = 1_000;

const mustBeMoment = 'must be a time such as 2027-01-31T12:00:00Z or a day such as 2027-01-31';
/** Years with known time zone rules and without overflows. */
const isNear = (text: string) => text >= '2000' && text < '3000';
const isDay = (text: string) => z.iso.date().safeParse(text).success;

/** A time, or a day as text. */
const moment = z
  .string(mustBeMoment)
  .refine((text) => !/^\d{4}-/.test(text) || isNear(text), 'must be between the years 2000 and 2999')
  .transform((text, context): Moment => (isDay(text) ? text : readTime(text, context, mustBeMoment)))
  .meta({
    anyOf: [
      { type: 'string', format: 'date' },
      { type: 'string', format: 'date-time' },
    ],
  });

export const tagFilter = filterText
  .min(1, 'must not be empty')
  .optional()
  .describe('Only short URLs with this tag');

const bots = z
  .enum(botChoices, `must be one of ${botChoices.join(', ')}`)
  .default('include')
  .describe('`include` counts clicks of bots too, as `click_count` does');

/** A time range in a query. */
const rangeQuery = z.strictObject({
  from: moment.optional().describe('Start: a time, or a day. Defaults to 30 days before `to`'),
  to: moment.optional().describe('End: a time (exclusive), or a day (inclusive). Defaults to today'),
  timezone: timeZone.prefault('UTC').describe('IANA time zone of days, hours and weeks; case-insensitive'),
});

export const topQuery = rangeQuery.extend({
  tag: tagFilter,
  bots,
  ...pageQuery({ default: 20, max: maxGroups }),
});

/** Intervals that need no click events. */
const rolledUpIntervals = intervals.filter((interval) => interval !== 'minute');
const maxCodes = 200;

export const urlClicksBody = z.strictObject(
  {
    short_codes: z
      .array(z.string('must be a string').overwrite(foldCode), 'must be a list of short codes')
      .min(1, 'must contain at least 1 short code')
      .max(maxCodes, `must contain at most ${maxCodes} short codes`)
      .describe('Short codes, or old codes, of the short URLs'),
    ...rangeQuery.shape,
    interval: z
      .enum(rolledUpIntervals, `must be one of ${rolledUpIntervals.join(', ')}`)
      .default('day')
      .describe('Length of time groups; weeks begin on Monday'),
    bots,
  },
  'must be a JSON object',
);

const day = z.iso
  .date('must be a day such as 2027-01-31')
  .refine(isNear, 'must be between the years 2000 and 2999')
  .optional();

export const unknownCodesQuery = z.strictObject({
  from: day.describe('First day. Defaults to 30 days before `to`'),
  to: day.describe('Last day (inclusive). Defaults to today'),
  codes: wholeNumberText(1, 100).default(20).describe('Maximum number of codes per day'),
  ...pageQuery({ default: 100, max: 400 }),
});

const meaning = 'Only clicks with this value; empty for unknown';
const filter = filterText.optional().describe(meaning);

/** A filter by an enumerated value. */
const filterOf = (values: readonly string[]) =>
  z
    .enum(['', ...values], `must be empty or one of ${values.join(', ')}`)
    .optional()
    .describe(meaning);

const country = filterText
  .refine(
    (text) => text === '' || toCountryCode(text) !== '',
    'must be a country code of ISO 3166-1, such as DE, or empty',
  )
  .transform(toCountryCode)
  .optional()
  .describe(`${meaning}. Country code of ISO 3166-1`);

/** The format of stored referrers. */
const storedReferrer = /^(ios-app:\/\/\d+|[^\s/?#@]*)$/;
const referrer = filterText
  .toLowerCase()
  .regex(storedReferrer, 'must be a host name without scheme and path, such as example.com, an app, or empty')
  .optional()
  .describe(`${meaning}. A host name, or an app such as com.slack or ios-app://544007664`);

export const urlAnalyticsQuery = rangeQuery.extend({
  group_by: z
    .enum(groupings, `must be one of ${groupings.join(', ')}`)
    .default('time')
    .describe('Dimension of the groups, or `time` for groups of an `interval`'),
  interval: z
    .enum(intervals, `must be one of ${intervals.join(', ')}`)
    .default('day')
    .describe('Length of time groups; weeks begin on Monday'),
  bots,
  compare: z
    .enum(['previous'], 'must be previous')
    .optional()
    .describe('Also returns the clicks of the preceding range of the same length'),
  visitors: booleanText
    .prefault('false')
    .describe('Also counts distinct visitors, which reads click events and takes longer'),
  limit: wholeNumberText(1, maxGroups)
    .default(50)
    .describe('Maximum number of groups; the remaining clicks are in `other`'),
  country,
  referrer,
  browser: filter,
  os: filter,
  device: filterOf(deviceKinds),
  bot_kind: filterOf(botKinds),
});

export const analyticsQuery = urlAnalyticsQuery.extend({ tag: tagFilter });

/** The domain's query, without its scope. */
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
