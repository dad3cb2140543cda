import { z } from 'zod';
import { type UrlLists, type UrlOrder, urlSorts } from '../../urls/search/list.ts';
import { summaryOrders, type UrlSummaries, type UrlSummary } from '../../urls/search/summaries.ts';
import type { ShortUrlWithClicks } from '../../urls/url.ts';
import { wholeNumberText } from '../../validation/integer.ts';
import { validationFailed } from '../problems/problem.ts';
import { readCursor, writeCursor } from './list-cursor.ts';
import type { Handlers, Operations } from './operation.ts';
import { timestamp } from './schemas.ts';
import { toFilter, urlFilterQuery } from './url-filter-query.ts';
import { presentUrl, shownUrl } from './url-schemas.ts';

const tag = 'Finding short URLs';
const maxItems = 200;

const limit = wholeNumberText(1, maxItems).default(50);

const sorts = urlSorts.flatMap((sort) => [sort, `-${sort}`] as const);

const listQuery = urlFilterQuery.extend({
  sort: z
    .enum(sorts, `must be one of ${sorts.join(', ')}`)
    .default('-created')
    .describe('With "-" the greatest first'),
  limit,
  cursor: z.string('must be text').max(200, 'must be a cursor of this list').optional(),
});

const summaryQuery = z.strictObject({
  sort: z.enum(summaryOrders, `must be one of ${summaryOrders.join(', ')}`).default('urls'),
  limit,
});

const found = shownUrl.extend({ click_count: z.int(), last_accessed_at: timestamp.nullable() });

const presentFound = (url: ShortUrlWithClicks, baseUrl: string): z.input<typeof found> => ({
  ...presentUrl(url, baseUrl),
  click_count: url.clickCount,
  last_accessed_at: url.lastAccessedAt?.toISOString() ?? null,
});

const summary = z.object({ name: z.string(), urls: z.int(), clicks: z.int() });
const summaries = z.object({ items: z.array(summary) });

/** Lists, and what short URLs have in common. */
export const findOperations = {
  listUrls: {
    method: 'get',
    path: '/api/v1/urls',
    tag,
    summary: 'Search and list short URLs',
    description:
      'Whoever follows `next_cursor` until it is null gets each short URL that was there at the beginning exactly once. Sorted by ' +
      'clicks or the last click, those that are clicked meanwhile may be missed, or come twice.',
    scope: 'urls:read',
    query: listQuery,
    replies: {
      200: {
        description: 'One page. Deleted ones are in no list.',
        body: z.object({
          items: z.array(found),
          next_cursor: z.string().nullable().describe('For the next page of the same list'),
        }),
      },
    },
    problems: [],
  },
  listTags: {
    method: 'get',
    path: '/api/v1/tags',
    tag,
    summary: 'Tags, with their short URLs and clicks',
    scope: 'urls:read',
    query: summaryQuery,
    replies: { 200: { description: 'Those with the most first, or by name.', body: summaries } },
    problems: [],
  },
  listHosts: {
    method: 'get',
    path: '/api/v1/hosts',
    tag,
    summary: 'Hosts that short URLs lead to, with their short URLs and clicks',
    scope: 'urls:read',
    query: summaryQuery,
    replies: { 200: { description: 'Those with the most first, or by name.', body: summaries } },
    problems: [],
  },
} as const satisfies Operations;

function toOrder(sort: z.output<typeof listQuery>['sort']): UrlOrder {
  const isDescending = sort.startsWith('-');
  return { sort: (isDescending ? sort.slice(1) : sort) as UrlOrder['sort'], isDescending };
}

const presentSummaries = (found: UrlSummary[]): z.input<typeof summaries> => ({
  items: found.map(({ name, urlCount, clickCount }) => ({ name, urls: urlCount, clicks: clickCount })),
});

export const findHandlers = ({
  finding,
  baseUrl,
}: {
  finding: UrlLists & UrlSummaries;
  baseUrl: string;
}): Handlers<typeof findOperations> => ({
  listUrls: async ({ query, owner }) => {
    const list = { filter: toFilter(query, owner), order: toOrder(query.sort) };
    const after = query.cursor === undefined ? undefined : readCursor(query.cursor, list);
    if (query.cursor !== undefined && !after) throw otherCursor();
    const { urls, next } = await finding.list({ ...list, after, limit: query.limit, now: new Date() });
    return {
      status: 200,
      body: {
        items: urls.map((url) => presentFound(url, baseUrl)),
        next_cursor: next ? writeCursor(next, list) : null,
      },
    };
  },

  listTags: async ({ query, owner }) => {
    const { sort: order, limit } = query;
    const tags = await finding.tags({ owner, order, limit, now: new Date() });
    return { status: 200, body: presentSummaries(tags) };
  },

  listHosts: async ({ query, owner }) => {
    const { sort: order, limit } = query;
    const hosts = await finding.hosts({ owner, order, limit, now: new Date() });
    return { status: 200, body: presentSummaries(hosts) };
  },
});

const otherCursor = () => validationFailed([{ field: 'cursor', detail: 'must be a cursor of this list' }]);
