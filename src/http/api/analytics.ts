import { z } from 'zod';
import type { Analytics } from '../../analytics/query/analytics.ts';
import type { AnalyticsResult } from '../../analytics/query/query.ts';
import { analyticsQuery, toAnalyticsQuery, urlAnalyticsQuery } from './analytics-query.ts';
import type { Handlers, Operations } from './operation.ts';
import { shortCodeParams, timestamp } from './schemas.ts';

const tag = 'Analytics';

const range = z.object({ from: timestamp, to: timestamp.describe('Not included') });

const group = z.object({
  name: z
    .string()
    .describe(
      'When it begins (part of it may be outside of the range); a value, empty where it is unknown; `person` or `bot`; day of the ' +
        'week and hour, "1-13" for Mondays from 13 to 14',
    ),
  clicks: z.int(),
  visitors: z.int().nullable(),
});

const figures = range.extend({
  source: z
    .enum(['roll-ups', 'rows', 'both'])
    .describe('Sums that are kept for ever, single clicks, or both where days of UTC begin at other times'),
  clicks: z.int().describe('Those of all groups and `other`'),
  visitors: z
    .int()
    .nullable()
    .describe('Different ones; null where they were not asked for or are not known'),
  groups: z
    .array(group)
    .describe('In order of time, or the most clicked first; those by time with no click too'),
  other: z.int().describe('Clicks of values that are not told apart'),
  clicks_without_row: z
    .int()
    .describe(
      'Where `source` is rows: clicks of the hours of the range of which no more than sums is kept, and which are in no other figure here',
    ),
  previous: range.extend({ clicks: z.int() }).nullable(),
});

const description =
  '`from` and `to` of the answer say what is counted: as asked, or a little more where what is kept is not that fine. Minutes and ' +
  'filters need single clicks, which are kept for a time: 422 `detail-not-kept` says since when. By country, referrer, browser, ' +
  'system or device whole days of UTC are exact for ever; of parts of a day, clicks without a row are unknown, and where rows are gone ' +
  'the whole day counts.';

const replies = { 200: { description: 'The figures, all of one moment.', body: figures } };

/** Figures about clicks. */
export const analyticsOperations = {
  getUrlAnalytics: {
    method: 'get',
    path: '/api/v1/urls/{short_code}/analytics',
    tag,
    summary: 'Clicks on a short URL by time, country, referrer, …',
    description,
    scope: 'stats:read',
    params: shortCodeParams,
    query: urlAnalyticsQuery,
    replies,
    problems: ['not-found', 'detail-not-kept'],
  },
  getAnalytics: {
    method: 'get',
    path: '/api/v1/analytics',
    tag,
    summary: 'The same of all short URLs that the API key may see, or of those with a tag',
    description: `${description} Deleted short URLs are left out.`,
    scope: 'stats:read',
    query: analyticsQuery,
    replies,
    problems: ['detail-not-kept'],
  },
} as const satisfies Operations;

const presentMetrics = (answer: AnalyticsResult): z.input<typeof figures> => ({
  ...presentRange(answer.range),
  source: answer.source,
  clicks: answer.clicks,
  visitors: answer.visitors ?? null,
  groups: answer.groups.map(({ name, clicks, visitors = null }) => ({ name, clicks, visitors })),
  other: answer.other,
  clicks_without_row: answer.withoutRow,
  previous: answer.previous ? { ...presentRange(answer.previous), clicks: answer.previous.clicks } : null,
});

const presentRange = ({ from, to }: { from: Date; to: Date }) => ({
  from: from.toISOString(),
  to: to.toISOString(),
});

export const analyticsHandlers = ({
  analytics,
}: {
  analytics: Analytics;
}): Handlers<typeof analyticsOperations> => ({
  getUrlAnalytics: async ({ params, query, owner }) => {
    const scope = { owner, shortCode: params.short_code };
    const answer = await analytics.query({ scope, ...toAnalyticsQuery(query) });
    return { status: 200, body: presentMetrics(answer) };
  },

  getAnalytics: async ({ query, owner }) => {
    const answer = await analytics.query({ scope: { owner, tag: query.tag }, ...toAnalyticsQuery(query) });
    return { status: 200, body: presentMetrics(answer) };
  },
});
