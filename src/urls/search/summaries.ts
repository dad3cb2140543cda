import type { SearchQuery } from '../../storage/postgres/search-query.ts';
import type { Owner } from '../store/owner.ts';
import { conditionsOf } from './filter.ts';

/** A group of short URLs with their number and total clicks. */
export interface UrlSummary {
  name: string;
  urlCount: number;
  clickCount: number;
}

const orders = {
  urls: '"urlCount" desc, name',
  clicks: '"clickCount" desc, name',
  name: 'name',
};

export type SummaryOrder = keyof typeof orders;

export const summaryOrders = Object.keys(orders) as SummaryOrder[];

export interface SummaryQuery {
  owner: Owner;
  order: SummaryOrder;
  limit: number;
  now: Date;
}

export type UrlSummaries = ReturnType<typeof createUrlSummaries>;

/** Groups short URLs by tag and by host, for one owner or all; deleted ones are not included. */
export function createUrlSummaries(search: SearchQuery) {
  async function summarise(query: SummaryQuery, groups: (condition: string) => string) {
    const { sql, bindings } = conditionsOf({ owner: query.owner }, query.now);
    return await search<UrlSummary>(
      // Materialized, so that the name is computed per group and not per short URL.
      `with groups as materialized (${groups(sql)})
       select name, cast(urls as bigint) as "urlCount", cast(clicks as bigint) as "clickCount"
       from groups where name is not null
       order by ${orders[query.order]} limit :limit`,
      { ...bindings, limit: query.limit },
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
