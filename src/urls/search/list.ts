import type { SearchQuery } from '../../storage/reads/search-query.ts';
import { everyone } from '../kept-lists/large-owners.ts';
import { findLeadersTime, type LeaderSort, leaderSorts, listedLeaders } from '../kept-lists/leaders.ts';
import { urlColumns } from '../store/columns.ts';
import type { ShortUrlWithClicks } from '../url.ts';
import { conditionsOf, type UrlFilter } from './filter.ts';

export const urlSorts = ['created', 'clicks', 'last_click', 'deleted'] as const;

export interface UrlOrder {
  /** `deleted` is for lists of deleted short URLs only. */
  sort: (typeof urlSorts)[number];
  isDescending: boolean;
}

/** The position after a listed short URL: its id and its sort value at that time. The value is a number of clicks, or
 *  an RFC 3339 time in UTC with microseconds, or null if never clicked. */
export interface UrlCursor {
  value: number | string | null;
  id: number;
}

const formatTime = (column: string) =>
  `case when isfinite(${column}) then to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
     else cast(${column} as text) end`;

/** SQL by sort order: a row's sort value and id, a cursor's value, and the value as the cursor shows it. */
const sorts: Record<UrlOrder['sort'], Record<'value' | 'id' | 'cursor' | 'shownValue', string>> = {
  created: {
    value: 'u.created_at',
    id: 'u.id',
    cursor: 'cast(:cursorValue as timestamptz)',
    shownValue: formatTime('page.value'),
  },
  deleted: {
    value: 'u.deleted_at',
    id: 'u.id',
    cursor: 'cast(:cursorValue as timestamptz)',
    shownValue: formatTime('page.value'),
  },
  clicks: {
    value: 's.click_count',
    id: 's.url_id',
    cursor: 'cast(:cursorValue as bigint)',
    shownValue: 'page.value',
  },
  last_click: {
    value: `coalesce(s.last_accessed_at, '-infinity')`,
    id: 's.url_id',
    cursor: `coalesce(cast(:cursorValue as timestamptz), '-infinity')`,
    shownValue: `case when page.value > '-infinity' then ${formatTime('page.value')} end`,
  },
};

/** A short URL in a list. */
export interface ListedUrl extends ShortUrlWithClicks {
  deletedAt: Date | null;
}

/** Matches that a count counts at most. */
export const maxCounted = 10_000;

/** A page of a list. */
export interface UrlPage {
  urls: ListedUrl[];
  /** The cursor of the next page, if any. */
  next: UrlCursor | undefined;
  /** When the leaders were found of which the page was made; null if it was made of all short URLs. */
  asOf: Date | null;
}

interface ListQuery {
  filter: UrlFilter;
  order: UrlOrder;
  after?: UrlCursor | undefined;
  limit: number;
  now: Date;
}

const hasLeaders = ({ filter, order }: ListQuery): boolean =>
  order.isDescending && !filter.isDeleted && leaderSorts.some((sort) => sort === order.sort);

/** The first leaders of an owner. */
const fromLeaders = (count: number) => `(
  select unnest(url_ids[1:${count}]) as url_id from url_leaders where owner = :leadersOf and sort = :leaderSort
) as leader join url_stats s on s.url_id = leader.url_id join urls u on u.id = leader.url_id`;

export type UrlLists = ReturnType<typeof createUrlLists>;

/** Lists of short URLs, page by page. */
export const createUrlLists = (search: SearchQuery) => ({
  /** Lists up to `limit` matching short URLs after a cursor. Following all cursors visits every short URL that existed at the start
   *  exactly once, unless its sort value changes meanwhile. Where leaders are kept, the first pages are made of them: their values are
   *  current, but a short URL that has come among them since `asOf` is missing. */
  async list(query: ListQuery): Promise<UrlPage> {
    if (hasLeaders(query)) {
      const leaders = {
        leadersOf: query.filter.owner ?? everyone,
        leaderSort: query.order.sort as LeaderSort,
      };
      const asOf = await findLeadersTime(search, leaders.leadersOf, leaders.leaderSort);
      for (const count of asOf ? listedLeaders : []) {
        const page = await readPage(search, query, fromLeaders(count), leaders);
        // Without a next page these leaders are at their end, and others may follow.
        if (asOf && page.next) return { ...page, asOf };
      }
    }
    const page = await readPage(search, query, 'urls u join url_stats s on s.url_id = u.id', {});
    return { ...page, asOf: null };
  },

  /** Counts the matching short URLs, up to `maxCounted`; `countedAt` is the time of PostgreSQL. */
  async count(filter: UrlFilter, now: Date): Promise<{ count: number; isExact: boolean; countedAt: Date }> {
    const { sql, bindings } = conditionsOf(filter, now);
    const [row] = await search<{ matches: number; countedAt: Date }>(
      `select count(*) as matches, now() as "countedAt"
       from (select from urls u where ${sql} limit :limit) as matching`,
      { ...bindings, limit: maxCounted + 1 },
    );
    const { matches, countedAt } = row!;
    return { count: Math.min(matches, maxCounted), isExact: matches <= maxCounted, countedAt };
  },
});

/** Reads a page of the short URLs of `source`. */
async function readPage(
  search: SearchQuery,
  { filter, order, after, limit, now }: ListQuery,
  source: string,
  sourceBindings: Record<string, unknown>,
): Promise<Omit<UrlPage, 'asOf'>> {
  const { value, id, cursor, shownValue } = sorts[order.sort];
  const { sql, bindings } = conditionsOf(filter, now);
  const [direction, comparison] = order.isDescending ? ['desc', '<'] : ['asc', '>'];
  // Selects ids first: rows are wide, and only those of the page are needed in full.
  const rows = await search<ListedUrl & { cursorValue: UrlCursor['value'] }>(
    `with page as materialized (
       select u.id, ${value} as value from ${source}
       where ${sql} ${after ? `and (${value}, ${id}) ${comparison} (${cursor}, :cursorId)` : ''}
       order by ${value} ${direction}, ${id} ${direction} limit :limit
     )
     select ${urlColumns}, s.click_count as "clickCount", s.last_accessed_at as "lastAccessedAt",
       u.deleted_at as "deletedAt", ${shownValue} as "cursorValue"
     from page join urls u on u.id = page.id join url_stats s on s.url_id = page.id
     order by page.value ${direction}, page.id ${direction}`,
    {
      ...bindings,
      ...sourceBindings,
      limit: limit + 1,
      ...(after && { cursorValue: after.value, cursorId: after.id }),
    },
  );
  const last = rows.length > limit ? rows[limit - 1] : undefined;
  return {
    urls: rows.slice(0, limit),
    next: last && { value: last.cursorValue, id: last.id },
  };
}
