import type { SearchQuery } from '../../storage/postgres/search-query.ts';
import type { Owner } from '../store/owner.ts';
import { conditionsOf } from './filter.ts';

/** What short URLs have in common, how many there are of them, and how often they were clicked. */
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

/** Short URLs by their tags and by the hosts that they lead to: an owner's, or anybody's; deleted ones do not count. */
export function createUrlSummaries(search: SearchQuery) {
  async function summarise(query: SummaryQuery, groups: (condition: string) => string) {
    const { sql, bindings } = conditionsOf({ owner: query.owner }, query.now);
    return await search<UrlSummary>(
      // Materialized: else the name of each short URL would be looked at, and not only of each group.
      `with groups as materialized (${groups(sql)})
       select name, cast(urls as bigint) as "urlCount", cast(clicks as bigint) as "clickCount"
       from groups where name is not null
       order by ${orders[query.order]} limit :limit`,
      { ...bindings, limit: query.limit },
    );
  }

  return {
    /** The first `limit` tags. */
    tags: async (query: SummaryQuery): Promise<UrlSummary[]> =>
      await summarise(
        query,
        (condition) => `
          select tag as name, count(*) as urls, sum(s.click_count) as clicks
          from urls u join url_stats s on s.url_id = u.id cross join unnest(u.tags) as tag
          where ${condition} and u.tags <> '{}'
          group by tag`,
      ),

    /** The first `limit` hosts, whatever the port. */
    hosts: async (query: SummaryQuery): Promise<UrlSummary[]> =>
      await summarise(
        query,
        // The host in full only once for all short URLs of one: it takes longer to find than to count.
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
