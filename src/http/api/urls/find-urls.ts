import { z } from 'zod';
import { type UrlLists, type UrlOrder, urlSorts } from '../../../urls/search/list.ts';
import {
  summaryOrders,
  type SummaryQuery,
  type UrlSummaries,
  type UrlSummary,
} from '../../../urls/search/summaries.ts';
import type { Owner } from '../../../urls/store/owner.ts';
import { plainText } from '../../../validation/text.ts';
import type { Handlers, Operations } from '../operation.ts';
import { pageOf, pageQuery, readCursor, readPage, writeCursor } from '../pagination.ts';
import { toFilter, urlFilterQuery } from './filter-query.ts';
import { urlPosition } from './position.ts';
import { presentUrl, shortUrl } from './presenter.ts';

const tag = 'Search';
/** Most items of a page. */
export const maxListItems = 200;
const limits = { default: 50, max: maxListItems };

const sorts = urlSorts.flatMap((sort) => [sort, `-${sort}`] as const);

const listQuery = urlFilterQuery.extend({
  sort: z
    .enum(sorts, `must be one of ${sorts.join(', ')}`)
    .default('-created')
    .describe('Sort order. A leading "-" sorts in descending order'),
  ...pageQuery(limits),
});

const summaryQuery = z.strictObject({
  sort: z
    .enum(summaryOrders, `must be one of ${summaryOrders.join(', ')}`)
    .default('urls')
    .describe('`urls` and `clicks` sort in descending order'),
  ...pageQuery(limits),
});

const summary = z.object({
  name: z.string(),
  urls: z.int().describe('Number of short URLs'),
  clicks: z.int().describe('Number of their clicks'),
});

const summaryPosition = z.object({
  name: plainText(1_000),
  urlCount: z.int(),
  clickCount: z.int(),
});

/** Lists of short URLs, and of their tags and hosts. */
export const findOperations = {
  listUrls: {
    method: 'get',
    path: '/api/v1/urls',
    tag,
    summary: 'List short URLs',
    description:
      'Pages contain each short URL that existed at the first request exactly once. An order by clicks changes with clicks: pages may then miss or repeat short URLs.',
    scope: 'urls:read',
    query: listQuery,
    replies: {
      200: { description: 'A page of short URLs, without deleted ones.', body: pageOf(shortUrl) },
    },
    problems: [],
  },
  listTags: {
    method: 'get',
    path: '/api/v1/tags',
    tag,
    summary: 'List tags',
    description: 'Tags with the number of their short URLs and clicks.',
    scope: 'urls:read',
    query: summaryQuery,
    replies: { 200: { description: 'A page of tags.', body: pageOf(summary) } },
    problems: [],
  },
  listHosts: {
    method: 'get',
    path: '/api/v1/hosts',
    tag,
    summary: 'List hosts',
    description: 'Hosts of original URLs, with the number of their short URLs and clicks.',
    scope: 'urls:read',
    query: summaryQuery,
    replies: { 200: { description: 'A page of hosts.', body: pageOf(summary) } },
    problems: [],
  },
} as const satisfies Operations;

function toOrder(sort: z.output<typeof listQuery>['sort']): UrlOrder {
  const isDescending = sort.startsWith('-');
  return { sort: (isDescending ? sort.slice(1) : sort) as UrlOrder['sort'], isDescending };
}

const presentSummary = ({ name, urlCount, clickCount }: UrlSummary): z.input<typeof summary> => ({
  name,
  urls: urlCount,
  clicks: clickCount,
});

async function readSummaries(
  name: string,
  { sort: order, ...page }: z.output<typeof summaryQuery>,
  owner: Owner,
  find: (query: SummaryQuery) => Promise<UrlSummary[]>,
) {
  const { rows, nextCursor } = await readPage(page, {
    list: [name, order, owner],
    position: summaryPosition,
    positionOf: (row: UrlSummary) => row,
    read: async (after, limit) => await find({ owner, order, after, limit, now: new Date() }),
  });
  return { items: rows.map(presentSummary), next_cursor: nextCursor };
}

export const findHandlers = ({
  urlSearch,
  baseUrl,
}: {
  urlSearch: UrlLists & UrlSummaries;
  baseUrl: string;
}): Handlers<typeof findOperations> => ({
  listUrls: async ({ query, owner }) => {
    const list = { filter: toFilter(query, owner), order: toOrder(query.sort) };
    const after = readCursor(query.cursor, list, urlPosition);
    const { urls, next } = await urlSearch.list({ ...list, after, limit: query.limit, now: new Date() });
    return {
      status: 200,
      body: {
        items: urls.map((url) => presentUrl(url, baseUrl)),
        next_cursor: next ? writeCursor(next, list) : null,
      },
    };
  },

  listTags: async ({ query, owner }) => ({
    status: 200,
    body: await readSummaries('tags', query, owner, urlSearch.tags),
  }),

  listHosts: async ({ query, owner }) => ({
    status: 200,
    body: await readSummaries('hosts', query, owner, urlSearch.hosts),
  }),
});
