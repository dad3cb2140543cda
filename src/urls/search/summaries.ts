import type { SearchQuery } from '../../storage/reads/search-query.ts';
import { everyone } from '../kept-lists/large-owners.ts';
import type { Owner } from '../store/owner.ts';
import { conditionsOf } from './filter.ts';

/** A group of short URLs with their number and total clicks. */
export interface UrlSummary {
  name: string;
  urlCount: number;
  clickCount: number;
}

/** By order of a list: the expressions it is sorted by, which the indexes of kept summaries have, and their values after a summary. */
const orders = {
  urls: { columns: '-urls, name', after: '-cast(:urlCount as bigint), :name' },
  clicks: { columns: '-clicks, name', after: '-cast(:clickCount as bigint), :name' },
  name: { columns: 'name', after: ':name' },
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

/** Up to `limit` summaries. */
export interface SummaryPage {
  summaries: UrlSummary[];
  /** When kept summaries were counted; null if they were counted now. */
  asOf: Date | null;
}

export type UrlSummaries = ReturnType<typeof createUrlSummaries>;

/** SQL of the groups of short URLs that match a condition: name, urls and clicks. */
const groups = {
  tag: (condition: string) => `
    select tag as name, count(*) as urls, sum(s.click_count) as clicks
    from urls u join url_stats s on s.url_id = u.id cross join unnest(u.tags) as tag
    where ${condition} and u.tags <> '{}'
    group by tag`,
  // Groups by authority first: extracting the host takes longer than counting.
  host: (condition: string) => `
    select host_of('//' || authority) as name, sum(urls) as urls, sum(clicks) as clicks
    from (
      select split_part(u.original_url, '/', 3) as authority, count(*) as urls, sum(s.click_count) as clicks
      from urls u join url_stats s on s.url_id = u.id
      where ${condition}
      group by authority
    ) as authorities
    group by 1`,
};

/** Groups short URLs by tag and by host, for one owner or all; deleted ones are not included. Where summaries are kept, they are answered
 *  as of their last count. */
export function createUrlSummaries(search: SearchQuery) {
  async function summarise(kind: keyof typeof groups, query: SummaryQuery): Promise<SummaryPage> {
    const { owner, order, after, limit, now } = query;
    const keptFor = owner ?? everyone;
    const [kept] = await search<{ asOf: Date }>(
      'select as_of as "asOf" from url_summary_pass where as_of is not null and :keptFor = any(owners)',
      { keptFor },
    );
    const { sql, bindings } = conditionsOf({ owner }, now);
    const [condition, source] = kept
      ? ['owner = :keptFor and kind = :kind', 'url_summaries']
      : // Materialized, so that the name is computed per group and not per short URL.
        ['name is not null', 'groups'];
    const summaries = await search<UrlSummary>(
      `${kept ? '' : `with groups as materialized (${groups[kind](sql)})`}
       select name, cast(urls as bigint) as "urlCount", cast(clicks as bigint) as "clickCount"
       from ${source} where ${condition} ${after ? `and (${orders[order].columns}) > (${orders[order].after})` : ''}
       order by ${orders[order].columns} limit :limit`,
      { ...bindings, ...after, keptFor, kind, limit },
    );
    return { summaries, asOf: kept?.asOf ?? null };
  }

  return {
    tags: async (query: SummaryQuery): Promise<SummaryPage> => await summarise('tag', query),
    /** Ports are ignored. */
    hosts: async (query: SummaryQuery): Promise<SummaryPage> => await summarise('host', query),
  };
}
