import { z } from 'zod';
import {
  type ListedUrl,
  maxCounted,
  type UrlLists,
  type UrlOrder,
  urlSorts,
} from '../../../urls/search/list.ts';
import type { Urls } from '../../../urls/urls.ts';
import { timestamp } from '../../routes/schemas.ts';
import type { Handlers, Operations } from '../operation.ts';
import { pageOf, pageQuery, readCursor, writeCursor } from '../pagination.ts';
import { asOfField, presentTime } from './as-of.ts';
import { toFilter, urlFilterQuery } from './filter-query.ts';
import { urlPosition } from './position.ts';
import { presentUrl, shortUrl } from './presenter.ts';

const tag = 'Search';
/** Most items of a page. */
export const maxListItems = 200;
export const listLimits = { default: 50, max: maxListItems };

const sorts = urlSorts.flatMap((sort) => [sort, `-${sort}`] as const);

const listQuery = urlFilterQuery
  .extend({
    sort: z
      .enum(sorts, `must be one of ${sorts.join(', ')}`)
      .optional()
      .describe(
        'Sort order. A leading "-" sorts in descending order. `-created` by default, and `-deleted` with `state=deleted`, which `deleted` needs',
      ),
    ...pageQuery(listLimits),
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

/** Lists of short URLs, and their number. */
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
      200: {
        description: 'A page of short URLs.',
        body: pageOf(shortUrl).extend({ as_of: asOfField('search for the short URLs that come first') }),
      },
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

export const findHandlers = ({
  urls,
  urlSearch,
  baseUrl,
}: {
  urls: Pick<Urls, 'purgedAt'>;
  urlSearch: UrlLists;
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
        as_of: presentTime(page.asOf),
      },
    };
  },

  countUrls: async ({ query, owner }) => {
    const { count, isExact, countedAt } = await urlSearch.count(toFilter(query, owner), new Date());
    return { status: 200, body: { count, is_exact: isExact, counted_at: countedAt.toISOString() } };
  },
});
