import { z } from 'zod';
import type { createTopUrls } from '../../analytics/query/top-urls.ts';
import { type createUnknownCodeDays, maxDays } from '../../analytics/query/unknown-code-days.ts';
import { type ClickEraser, totalsOptions } from '../../analytics/rollups/erase-clicks.ts';
import { topQuery, unknownCodesQuery } from './analytics-query.ts';
import type { Handlers, Operations } from './operation.ts';
import { shortCodeParams, timestamp } from './schemas.ts';

const tag = 'Analytics';

/** What was clicked most, what could not be, and forgetting who did. */
export const clickListOperations = {
  listTopUrls: {
    method: 'get',
    path: '/api/v1/analytics/top-urls',
    tag,
    summary: 'The most clicked short URLs of a time',
    scope: 'stats:read',
    query: topQuery,
    replies: {
      200: {
        description: 'The most clicked first.',
        body: z.object({
          from: timestamp,
          to: timestamp,
          clicks: z.int().describe('Of all short URLs'),
          urls: z.array(
            z.object({
              short_code: z.string(),
              original_url: z.string(),
              title: z.string().nullable(),
              clicks: z.int(),
            }),
          ),
        }),
      },
    },
    problems: [],
  },
  listUnknownCodes: {
    method: 'get',
    path: '/api/v1/analytics/unknown-codes',
    tag,
    summary: 'Requests for short codes that lead nowhere',
    description:
      `By day of UTC, the last first, and ${maxDays} at most. A day keeps 1,000 codes apart: those that nobody has, and those of short URLs ` +
      'that were deleted or disabled, GET and HEAD alike. A key that is for its own short URLs gets none.',
    scope: 'stats:read',
    query: unknownCodesQuery,
    replies: {
      200: {
        description: 'The days that had some.',
        body: z.object({
          days: z.array(
            z.object({
              day: z.iso.date(),
              requests: z.int().describe('For all codes'),
              codes: z.array(z.object({ short_code: z.string(), requests: z.int() })),
            }),
          ),
        }),
      },
    },
    problems: [],
  },
  forgetClicks: {
    method: 'delete',
    path: '/api/v1/urls/{short_code}/clicks',
    tag,
    summary: 'Forget who clicked on a short URL, and when',
    description:
      'Single clicks and all sums by time and value are removed. It takes a minute or so for 10 million single clicks; broken off, it can be ' +
      'asked for again.',
    scope: 'urls:write',
    params: shortCodeParams,
    query: z.strictObject({
      totals: z
        .enum(totalsOptions, `must be one of ${totalsOptions.join(', ')}`)
        .default('keep')
        .describe('Whether `click_count` stays or begins anew'),
    }),
    replies: { 204: { description: 'They are forgotten.' } },
    problems: ['not-found'],
  },
} as const satisfies Operations;

export const clickListHandlers = ({
  clickLists,
  clickEraser,
}: {
  clickLists: ReturnType<typeof createTopUrls> & ReturnType<typeof createUnknownCodeDays>;
  clickEraser: ClickEraser;
}): Handlers<typeof clickListOperations> => ({
  listTopUrls: async ({ query, owner }) => {
    const { tag, ...question } = query;
    const { range, clicks, urls } = await clickLists.topUrls({ scope: { owner, tag }, ...question });
    return {
      status: 200,
      body: {
        from: range.from.toISOString(),
        to: range.to.toISOString(),
        clicks,
        urls: urls.map(({ shortCode, originalUrl, title, clicks }) => ({
          short_code: shortCode,
          original_url: originalUrl,
          title,
          clicks,
        })),
      },
    };
  },

  listUnknownCodes: async ({ query, owner }) => {
    const days = owner === null ? await clickLists.unknownCodes(query) : [];
    const present = ({ shortCode, requests }: { shortCode: string; requests: number }) => ({
      short_code: shortCode,
      requests,
    });
    return {
      status: 200,
      body: { days: days.map(({ day, requests, codes }) => ({ day, requests, codes: codes.map(present) })) },
    };
  },

  forgetClicks: async ({ params, query, owner }) => {
    await clickEraser.erase(params.short_code, owner, query.totals);
    return { status: 204 };
  },
});
