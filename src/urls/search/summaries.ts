import type { SearchQuery } from '../../storage/postgres/search-query.ts';
import type { Owner } from '../store/owner.ts';
import { conditionsOf } from './filter.ts';

/** A group of short URLs with their number and total clicks. */
export interface UrlSummary {
  name: string;
  urlCount: number;
  clickCount: number;
}

/** The order of a list, and the condition for what follows a summary in it. */
const orders = {
  urls: {
    columns: '"urlCount" desc, name',
    isAfter: '(urls < :urlCount or urls = :urlCount and name > :name)',
  },
  clicks: {
    columns: '"clickCount" desc, name',
    isAfter: '(clicks < :clickCount or clicks = :clickCount and name > :name)',
  },
  name: { columns: 'name', isAfter: 'name > :name' },
};

export type SummaryOrder = keyof typeof orders;

export const summaryOrders = Object.keys(orders) as SummaryOrder[];

export interface SummaryQuery {
  owner: Owner;
  order: SummaryOrder;
  /** The last summary of the previous page. */
  after?: UrlSummary | undefined;
  limit: number;
  now: Date;
}

export type UrlSummaries = ReturnType<typeof createUrlSummaries>;

/** Groups short URLs by tag and by host, for one owner or all; deleted ones are not included. */
export function createUrlSummaries(search: SearchQuery) {
  async function summarise(query: SummaryQuery, groups: (condition: string) => string) {
    const { owner, order, after, limit, now } = query;
    const { sql, bindings } = conditionsOf({ owner }, now);
    const { columns, isAfter } = orders[order];
    return await search<UrlSummary>(
      // Materialized, so that the name is computed per group and not per short URL.
      `with groups as materialized (${groups(sql)})
       select name, cast(urls as bigint) as "urlCount", cast(clicks as bigint) as "clickCount"
       from groups where name is not null ${after ? `and ${isAfter}` : ''}
       order by ${columns} limit :limit`,
      { ...bindings, ...after, limit },
    );
  }

  return {
    /** Returns the first `limit` tags. */
    tags: async (query: SummaryQuery): Promise<UrlSummary[]> =>
      await summarise(
        query,
        (condition) => `
          select tag as name, count(*) as urls, sum(s.click_count) as clicks
          from urls u join url_stats s on s.url_id = u.id cross join unnest(u.tags) as tag
          where ${condition} and u.tags <> '{}'
          group by tag`,
      ),

    /** Returns the first `limit` hosts; ports are ignored. */
    hosts: async (query: SummaryQuery): Promise<UrlSummary[]> =>
      await summarise(
        query,
        // Groups by authority first: extracting the host takes longer than counting.
        (condition) => `
          select host_of('//' || authority) as name, sum(urls) as urls, sum(clicks) as clicks
          from (
            select split_part(u.original_url, '/', 3) as authority, count(*) as urls, sum(s.click_count) as clicks
            from urls u join url_stats s on s.url_id = u.id
            where ${condition}
            group by authority
          ) as authorities
          group by 1`,
      ),
  };
}
