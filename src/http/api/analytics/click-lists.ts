import { z } from 'zod';
import type { createTopUrls } from '../../../analytics/query/top-urls.ts';
import type { createUnknownCodeDays, UnknownCodeDay } from '../../../analytics/query/unknown-code-days.ts';
import { type ClickEraser, totalsOptions } from '../../../analytics/rollups/erase-clicks.ts';
import { shortCodeParams, timestamp } from '../../routes/schemas.ts';
import type { Handlers, Operations } from '../operation.ts';
import { pageOf, readCursor, readPage, writeCursor } from '../pagination.ts';
import { topQuery, unknownCodesQuery } from './query.ts';

const tag = 'Analytics';

const topUrl = z.object({
  short_code: z.string(),
  original_url: z.string(),
  title: z.string().nullable(),
  clicks: z.int(),
});

const topPosition = z.object({ clicks: z.int().min(0), id: z.int().min(0) });

const unknownCodeDay = z.object({
  day: z.iso.date(),
  requests: z.int().describe('Requests for all codes'),
  codes: z
    .array(z.object({ short_code: z.string(), requests: z.int() }))
    .describe('The most requested codes'),
});

const dayPosition = z.iso.date().refine((day) => day >= '2000' && day < '3000');

/** Most clicked short URLs, requests for unknown codes, and erasure of clicks. */
export const clickListOperations = {
  listTopUrls: {
    method: 'get',
    path: '/api/v1/analytics/top-urls',
    tag,
    summary: 'List the most clicked short URLs',
    scope: 'stats:read',
    query: topQuery,
    replies: {
      200: {
        description: 'A page of short URLs, by clicks in descending order.',
        body: pageOf(topUrl).extend({
          from: timestamp,
          to: timestamp.describe('Exclusive'),
          clicks: z.int().describe('Clicks of all short URLs'),
        }),
      },
    },
    problems: [],
  },
  listUnknownCodes: {
    method: 'get',
    path: '/api/v1/analytics/unknown-codes',
    tag,
    summary: 'List requests for unknown short codes',
    description:
      'GET and HEAD requests for codes that do not exist, or whose short URLs are deleted or disabled. By UTC day, latest first, with up to ' +
      '1,000 codes per day. Empty for API keys that are restricted to their own short URLs.',
    scope: 'stats:read',
    query: unknownCodesQuery,
    replies: {
      200: { description: 'A page of days that have such requests.', body: pageOf(unknownCodeDay) },
    },
    problems: [],
  },
  eraseClicks: {
    method: 'delete',
    path: '/api/v1/urls/{short_code}/clicks',
    tag,
    summary: 'Erase the clicks of a short URL',
    description:
      'Removes click events and roll-ups. Takes about a minute for 10 million click events. Repeat an interrupted request to continue.',
    scope: 'urls:write',
    params: shortCodeParams,
    query: z.strictObject({
      totals: z
        .enum(totalsOptions, `must be one of ${totalsOptions.join(', ')}`)
        .default('keep')
        .describe('Whether to keep or reset `click_count`'),
    }),
    replies: { 204: { description: 'The clicks are erased.' } },
    problems: ['not-found'],
  },
} as const satisfies Operations;

const presentDay = ({ day, requests, codes }: UnknownCodeDay): z.input<typeof unknownCodeDay> => ({
  day,
  requests,
  codes: codes.map(({ shortCode, requests }) => ({ short_code: shortCode, requests })),
});

export const clickListHandlers = ({
  clickLists,
  clickEraser,
}: {
  clickLists: ReturnType<typeof createTopUrls> & ReturnType<typeof createUnknownCodeDays>;
  clickEraser: ClickEraser;
}): Handlers<typeof clickListOperations> => ({
  listTopUrls: async ({ query, owner }) => {
    const { tag, cursor, limit, ...question } = query;
    const list = ['top-urls', owner, tag, question];
    const { range, clicks, urls, next } = await clickLists.topUrls({
      scope: { owner, tag },
      ...question,
      after: readCursor(cursor, list, topPosition),
      limit,
    });
    return {
      status: 200,
      body: {
        from: range.from.toISOString(),
        to: range.to.toISOString(),
        clicks,
        items: urls.map(({ shortCode, originalUrl, title, clicks }) => ({
          short_code: shortCode,
          original_url: originalUrl,
          title,
          clicks,
        })),
        next_cursor: next ? writeCursor(next, list) : null,
      },
    };
  },

  listUnknownCodes: async ({ query, owner }) => {
    const { cursor, limit, ...filter } = query;
    const { rows, nextCursor } = await readPage(
      { cursor, limit },
      {
        list: ['unknown-codes', filter],
        position: dayPosition,
        positionOf: ({ day }: UnknownCodeDay) => day,
        read: async (before, limit) =>
          owner === null ? await clickLists.unknownCodes({ ...filter, before, limit }) : [],
      },
    );
    return { status: 200, body: { items: rows.map(presentDay), next_cursor: nextCursor } };
  },

  eraseClicks: async ({ params, query, owner }) => {
    await clickEraser.erase(params.short_code, owner, query.totals);
    return { status: 204 };
  },
});
