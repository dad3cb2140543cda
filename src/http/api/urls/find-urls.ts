import { z } from 'zod';
import {
  type ListedUrl,
  maxCounted,
  type UrlLists,
  type UrlOrder,
  urlSorts,
} from '../../../urls/search/list.ts';
import {
  summaryOrders,
  type SummaryQuery,
  type UrlSummaries,
  type UrlSummary,
} from '../../../urls/search/summaries.ts';
import type { Owner } from '../../../urls/store/owner.ts';
import type { Urls } from '../../../urls/urls.ts';
import { plainText } from '../../../validation/text.ts';
import { timestamp } from '../../routes/schemas.ts';
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

const listQuery = urlFilterQuery
  .extend({
    sort: z
      .enum(sorts, `must be one of ${sorts.join(', ')}`)
      .optional()
      .describe(
        'Sort order. A leading "-" sorts in descending order. `-created` by default, and `-deleted` with `state=deleted`, which `deleted` needs',
      ),
    ...pageQuery(limits),
  })
  .refine(({ state, sort }) => state === 'deleted' || !sort?.endsWith('deleted'), {
    path: ['sort'],
    error: 'must be given together with state=deleted',
  });

const urlCount = z.object({
  count: z.int().max(maxCounted).describe('Number of matching short URLs'),
  is_exact: z.boolean().describe(`false if there are more than ${maxCounted}, which are not counted`),
  counted_at: timestamp.describe(
    'Time of the count. As `created_before` of a bulk operation it excludes short URLs that are created later',
  ),
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
      200: { description: 'A page of short URLs.', body: pageOf(shortUrl) },
    },
    problems: [],
  },
  countUrls: {
    method: 'get',
    // Not below /api/v1/urls, where `count` can be a short code.
    path: '/api/v1/url-count',
    tag,
    summary: 'Count short URLs',
    description: `Counts the short URLs that match the filters of \`GET /api/v1/urls\`, up to ${maxCounted}.`,
    scope: 'urls:read',
    query: urlFilterQuery,
    replies: { 200: { description: 'The count.', body: urlCount } },
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

function toOrder({ state, sort: given }: z.output<typeof listQuery>): UrlOrder {
  const sort = given ?? (state === 'deleted' ? '-deleted' : '-created');
  const isDescending = sort.startsWith('-');
  return { sort: (isDescending ? sort.slice(1) : sort) as UrlOrder['sort'], isDescending };
}

const presentDeletion = ({ deletedAt, ...url }: ListedUrl, urls: Pick<Urls, 'purgedAt'>) =>
  deletedAt && {
    deleted_at: deletedAt.toISOString(),
    purged_at: urls.purgedAt({ ...url, deletedAt }).toISOString(),
  };

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
  urls,
  urlSearch,
  baseUrl,
}: {
  urls: Pick<Urls, 'purgedAt'>;
  urlSearch: UrlLists & UrlSummaries;
  baseUrl: string;
}): Handlers<typeof findOperations> => ({
  listUrls: async ({ query, owner }) => {
    const list = { filter: toFilter(query, owner), order: toOrder(query) };
    const after = readCursor(query.cursor, list, urlPosition);
    const page = await urlSearch.list({ ...list, after, limit: query.limit, now: new Date() });
    return {
      status: 200,
      body: {
        items: page.urls.map((url) => ({ ...presentUrl(url, baseUrl), ...presentDeletion(url, urls) })),
        next_cursor: page.next ? writeCursor(page.next, list) : null,
      },
    };
  },

  countUrls: async ({ query, owner }) => {
    const { count, isExact, countedAt } = await urlSearch.count(toFilter(query, owner), new Date());
    return { status: 200, body: { count, is_exact: isExact, counted_at: countedAt.toISOString() } };
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
