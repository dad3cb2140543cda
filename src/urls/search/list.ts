import type { SearchQuery } from '../../storage/postgres/search-query.ts';
import { urlColumns } from '../store/columns.ts';
import type { ShortUrlWithClicks } from '../url.ts';
import { conditionsOf, type UrlFilter } from './filter.ts';

export const urlSorts = ['created', 'clicks', 'last_click'] as const;

export interface UrlOrder {
  sort: (typeof urlSorts)[number];
  isDescending: boolean;
}

/** Where a list goes on: behind the short URL of this id, which had this when it was listed. A number of clicks, or a time to the
 *  microsecond as RFC 3339 in UTC, or null for never clicked. */
export interface UrlPlace {
  value: number | string | null;
  id: number;
}

const showTime = (column: string) =>
  `case when isfinite(${column}) then to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
     else cast(${column} as text) end`;

/** What a list is sorted by: the value of a row and its id; the value of a place, and how it is shown. */
const sorts: Record<UrlOrder['sort'], Record<'value' | 'id' | 'ofPlace' | 'shown', string>> = {
  created: {
    value: 'u.created_at',
    id: 'u.id',
    ofPlace: 'cast(:placeValue as timestamptz)',
    shown: showTime('page.value'),
  },
  clicks: {
    value: 's.click_count',
    id: 's.url_id',
    ofPlace: 'cast(:placeValue as bigint)',
    shown: 'page.value',
  },
  last_click: {
    value: `coalesce(s.last_accessed_at, '-infinity')`,
    id: 's.url_id',
    ofPlace: `coalesce(cast(:placeValue as timestamptz), '-infinity')`,
    shown: `case when page.value > '-infinity' then ${showTime('page.value')} end`,
  },
};

export type UrlLists = ReturnType<typeof createUrlLists>;

/** Lists of short URLs, page by page. */
export const createUrlLists = (search: SearchQuery) => ({
  /** Up to `limit` short URLs that a filter means at `now`, in order, behind a place or from the beginning; and the place behind
   *  which there are more. Who goes from place to place meets each short URL that was there at the beginning exactly once,
   *  unless what it is sorted by changes meanwhile. */
  async list(query: {
    filter: UrlFilter;
    order: UrlOrder;
    after?: UrlPlace | undefined;
    limit: number;
    now: Date;
  }): Promise<{ urls: ShortUrlWithClicks[]; next: UrlPlace | undefined }> {
    const { filter, order, after, limit, now } = query;
    const { value, id, ofPlace, shown } = sorts[order.sort];
    const { sql, bindings } = conditionsOf(filter, now);
    const [direction, beyond] = order.isDescending ? ['desc', '<'] : ['asc', '>'];
    // Ids first: rows are wide, and what is not on the page need not be sorted in full.
    const rows = await search<ShortUrlWithClicks & { placeValue: UrlPlace['value'] }>(
      `with page as materialized (
         select u.id, ${value} as value from urls u join url_stats s on s.url_id = u.id
         where ${sql} ${after ? `and (${value}, ${id}) ${beyond} (${ofPlace}, :placeId)` : ''}
         order by ${value} ${direction}, ${id} ${direction} limit :limit
       )
       select ${urlColumns}, s.click_count as "clickCount", s.last_accessed_at as "lastAccessedAt",
         ${shown} as "placeValue"
       from page join urls u on u.id = page.id join url_stats s on s.url_id = page.id
       order by page.value ${direction}, page.id ${direction}`,
      { ...bindings, limit: limit + 1, ...(after && { placeValue: after.value, placeId: after.id }) },
    );
    const last = rows.length > limit ? rows[limit - 1] : undefined;
    return {
      urls: rows.slice(0, limit),
      next: last && { value: last.placeValue, id: last.id },
    };
  },
});
