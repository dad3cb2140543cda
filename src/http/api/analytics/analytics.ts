import { z } from 'zod';
import type { Analytics } from '../../../analytics/query/analytics.ts';
import type { AnalyticsResult } from '../../../analytics/query/query.ts';
import type { UrlTrends } from '../../../analytics/query/url-trends.ts';
import { shortCodeParams, timestamp } from '../../routes/schemas.ts';
import { type Handlers, type Operations, weigh } from '../operation.ts';
import { analyticsQuery, toAnalyticsQuery, urlAnalyticsQuery, urlClicksBody } from './query.ts';

const tag = 'Analytics';

const range = z.object({ from: timestamp, to: timestamp.describe('Exclusive') });

const group = z.object({
  name: z
    .string()
    .describe(
      'Start of the time group, which can be before the range; or a value, empty for unknown; or `person` or `bot`; or weekday and ' +
        'hour, such as "1-13" for Monday 13:00 to 14:00',
    ),
  clicks: z.int(),
  visitors: z.int().nullable(),
});

const metrics = range.extend({
  source: z
    .enum(['roll-ups', 'rows', 'both'])
    .describe(
      'Where the numbers come from: roll-ups, click events (`rows`), or both where the range does not begin at 00:00 UTC',
    ),
  clicks: z.int().describe('Clicks of all groups and `other`'),
  visitors: z.int().nullable().describe('Distinct visitors; null if not requested or not known'),
  groups: z
    .array(group)
    .describe('In chronological order, including empty groups, or by clicks in descending order'),
  other: z.int().describe('Clicks of values without a group of their own'),
  clicks_without_row: z
    .int()
    .describe(
      'With `source` rows: clicks in the range whose click events no longer exist. No other number includes them',
    ),
  previous: range.extend({ clicks: z.int() }).nullable(),
});

const description =
  '`from` and `to` of the answer are the counted range, which can be wider than requested where roll-ups are coarser. Minutes and ' +
  'filters need click events, which exist for the retention period; before it the answer is 422 `retention-exceeded`. Groups by country, ' +
  'referrer, browser, system or device are always exact for whole UTC days. For parts of a day, clicks without an event are unknown; ' +
  'after the retention period the whole day is counted.';

const replies = { 200: { description: 'The metrics, from one database snapshot.', body: metrics } };

/** Aggregated clicks. */
export const analyticsOperations = {
  getUrlAnalytics: {
    method: 'get',
    path: '/api/v1/urls/{short_code}/analytics',
    tag,
    summary: 'Get analytics for a short URL',
    description: `Clicks by time, country, referrer, browser and more. ${description}`,
    scope: 'stats:read',
    params: shortCodeParams,
    query: urlAnalyticsQuery,
    replies,
    problems: ['not-found', 'retention-exceeded'],
  },
  getAnalytics: {
    method: 'get',
    path: '/api/v1/analytics',
    tag,
    summary: 'Get analytics for all short URLs',
    description: `Clicks on the short URLs that the API key can access, without deleted ones. ${description}`,
    scope: 'stats:read',
    query: analyticsQuery,
    replies,
    problems: ['retention-exceeded'],
  },
  getClicksOfUrls: {
    method: 'post',
    path: '/api/v1/analytics/urls',
    tag,
    summary: 'Get the clicks of many short URLs by time',
    description:
      'One request for the trends in a list of short URLs. It reads roll-ups only: there are no minutes. `from` and `to` of the answer are ' +
      'the counted range.',
    scope: 'stats:read',
    weightOf: ({ body }: { body: { short_codes: string[] } }) => weigh(body.short_codes.length),
    body: urlClicksBody,
    replies: {
      200: {
        description: 'The clicks, from one database snapshot.',
        body: range.extend({
          intervals: z
            .array(timestamp)
            .describe('Start of each interval in chronological order; the first can be before the range'),
          items: z
            .array(
              z.object({
                short_code: z.string().describe('As in the request'),
                clicks: z.array(z.int()).describe('Clicks in each interval'),
              }),
            )
            .describe('In the order of the request, without short URLs that do not exist'),
        }),
      },
    },
    problems: [],
  },
} as const satisfies Operations;

const presentMetrics = (answer: AnalyticsResult): z.input<typeof metrics> => ({
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
  urlTrends,
}: {
  analytics: Analytics;
  urlTrends: UrlTrends;
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

  getClicksOfUrls: async ({ body, owner }) => {
    const { short_codes: shortCodes, ...query } = body;
    const { range, starts, urls } = await urlTrends.query({ owner, shortCodes, ...query });
    return {
      status: 200,
      body: {
        ...presentRange(range),
        intervals: starts.map((start) => start.toISOString()),
        items: urls.map(({ shortCode, clicks }) => ({ short_code: shortCode, clicks })),
      },
    };
  },
});
