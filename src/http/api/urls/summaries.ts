import { z } from 'zod';
import {
  summaryOrders,
  type SummaryPage,
  type SummaryQuery,
  type UrlSummaries,
  type UrlSummary,
} from '../../../urls/search/summaries.ts';
import type { Owner } from '../../../urls/store/owner.ts';
import { plainText } from '../../../validation/text.ts';
import type { Handlers, Operations } from '../operation.ts';
import { pageOf, pageQuery, readPage } from '../pagination.ts';
import { asOfField, presentTime } from './as-of.ts';
import { listLimits as limits } from './find-urls.ts';

const tag = 'Search';

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

const summaryPage = pageOf(summary).extend({ as_of: asOfField('count') });

const summaryPosition = z.object({
  name: plainText(1_000),
  urlCount: z.int(),
  clickCount: z.int(),
});

/** Lists of tags and hosts. */
export const summaryOperations = {
  listTags: {
    method: 'get',
    path: '/api/v1/tags',
    tag,
    summary: 'List tags',
    description: 'Tags with the number of their short URLs and clicks.',
    scope: 'urls:read',
    query: summaryQuery,
    replies: { 200: { description: 'A page of tags.', body: summaryPage } },
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
    replies: { 200: { description: 'A page of hosts.', body: summaryPage } },
    problems: [],
  },
} as const satisfies Operations;

const presentSummary = ({ name, urlCount, clickCount }: UrlSummary): z.input<typeof summary> => ({
  name,
  urls: urlCount,
  clicks: clickCount,
});

async function readSummaries(
  name: string,
  { sort: order, ...page }: z.output<typeof summaryQuery>,
  owner: Owner,
  find: (query: SummaryQuery) => Promise<SummaryPage>,
) {
  let countedAt: Date | null = null;
  const { rows, nextCursor } = await readPage(page, {
    list: [name, order, owner],
    position: summaryPosition,
    positionOf: (row: UrlSummary) => row,
    async read(after, limit) {
      const found = await find({ owner, order, after, limit, now: new Date() });
      countedAt = found.asOf;
      return found.summaries;
    },
  });
  return { items: rows.map(presentSummary), next_cursor: nextCursor, as_of: presentTime(countedAt) };
}

export const summaryHandlers = ({
  urlSearch,
}: {
  urlSearch: UrlSummaries;
}): Handlers<typeof summaryOperations> => ({
  listTags: async ({ query, owner }) => ({
    status: 200,
    body: await readSummaries('tags', query, owner, urlSearch.tags),
  }),

  listHosts: async ({ query, owner }) => ({
    status: 200,
    body: await readSummaries('hosts', query, owner, urlSearch.hosts),
  }),
});
