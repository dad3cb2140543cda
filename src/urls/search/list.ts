import type { SearchQuery } from '../../storage/postgres/search-query.ts';
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

export type UrlLists = ReturnType<typeof createUrlLists>;

/** Lists of short URLs, page by page. */
export const createUrlLists = (search: SearchQuery) => ({
  /** Lists up to `limit` matching short URLs after a cursor, with the cursor of the next page, if any. Following all
   *  cursors visits every short URL that existed at the start exactly once, unless its sort value changes meanwhile. */
  async list(query: {
    filter: UrlFilter;
    order: UrlOrder;
    after?: UrlCursor | undefined;
    limit: number;
    now: Date;
  }): Promise<{ urls: ListedUrl[]; next: UrlCursor | undefined }> {
    const { filter, order, after, limit, now } = query;
    const { value, id, cursor, shownValue } = sorts[order.sort];
    const { sql, bindings } = conditionsOf(filter, now);
    const [direction, comparison] = order.isDescending ? ['desc', '<'] : ['asc', '>'];
    // Selects ids first: rows are wide, and only those of the page are needed in full.
    const rows = await search<ListedUrl & { cursorValue: UrlCursor['value'] }>(
      `with page as materialized (
         select u.id, ${value} as value from urls u join url_stats s on s.url_id = u.id
         where ${sql} ${after ? `and (${value}, ${id}) ${comparison} (${cursor}, :cursorId)` : ''}
         order by ${value} ${direction}, ${id} ${direction} limit :limit
       )
       select ${urlColumns}, s.click_count as "clickCount", s.last_accessed_at as "lastAccessedAt",
         u.deleted_at as "deletedAt", ${shownValue} as "cursorValue"
       from page join urls u on u.id = page.id join url_stats s on s.url_id = page.id
       order by page.value ${direction}, page.id ${direction}`,
      { ...bindings, limit: limit + 1, ...(after && { cursorValue: after.value, cursorId: after.id }) },
    );
    const last = rows.length > limit ? rows[limit - 1] : undefined;
    return {
      urls: rows.slice(0, limit),
      next: last && { value: last.cursorValue, id: last.id },
    };
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
