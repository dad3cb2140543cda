import { findUrls } from '../rollups/scope.ts';
import type { AnalyticsQuery, Range } from './query.ts';
import { findRange, quarterMs, widen } from './range.ts';
import type { ReadAnalytics } from './snapshot.ts';
import { clickExpression, quarters } from './sources.ts';

export interface TopUrls {
  range: Range;
  /** Total of all short URLs in the scope. */
  clicks: number;
  urls: { shortCode: string; originalUrl: string; title: string | null; clicks: number }[];
  /** The position of the next page; undefined on the last one. */
  next: TopUrlPosition | undefined;
}

/** The position of a short URL in the list. */
export interface TopUrlPosition {
  clicks: number;
  id: number;
}

/** Lists short URLs by their clicks in a range. */
export const createTopUrls = (read: ReadAnalytics) => ({
  /** Returns up to `limit` most clicked short URLs of a scope, after a position. Throws EmptyRange. */
  topUrls: async (
    query: Pick<AnalyticsQuery, 'scope' | 'from' | 'to' | 'timezone' | 'bots' | 'limit'> & {
      after?: TopUrlPosition | undefined;
    },
  ): Promise<TopUrls> =>
    await read(async (trx) => {
      const range = widen((await findRange(trx, query)).range, quarterMs);
      const facts = quarters(await findUrls(trx, query.scope), range);
      const { after, limit } = query;
      const isAfter = 'clicks < :afterClicks or clicks = :afterClicks and url_id > :afterId';
      const { rows } = await trx.raw<{ rows: (TopUrls['urls'][number] & { id: number; all: number })[] }>(
        `select u.id, u.short_code as "shortCode", u.original_url as "originalUrl", u.title, top.clicks, top.all
         from (
           select * from (
             select url_id, clicks, cast(sum(clicks) over () as bigint) as all
             from (select url_id, cast(sum(${clickExpression[query.bots]}) as bigint) as clicks
                   from (${facts.sql}) as fact group by url_id) as url
             where clicks > 0
           ) as url
           ${after ? `where ${isAfter}` : ''}
           order by clicks desc, url_id limit :limit
         ) as top join urls u on u.id = top.url_id
         order by top.clicks desc, u.id`,
        {
          ...facts.bindings,
          limit: limit + 1,
          ...(after && { afterClicks: after.clicks, afterId: after.id }),
        },
      );
      const last = rows.length > limit ? rows[limit - 1] : undefined;
      return {
        range,
        clicks: rows[0]?.all ?? 0,
        next: last && { clicks: last.clicks, id: last.id },
        urls: rows.slice(0, limit).map(({ shortCode, originalUrl, title, clicks }) => ({
          shortCode,
          originalUrl,
          title,
          clicks,
        })),
      };
    }),
});
