import { findUrls } from '../rollups/scope.ts';
import type { AnalyticsQuery, Range } from './query.ts';
import { findRange, quarterMs, widen } from './range.ts';
import type { ReadAnalytics } from './snapshot.ts';
import { counted, quarters } from './sources.ts';

export interface TopUrls {
  range: Range;
  /** Of all short URLs. */
  clicks: number;
  urls: { shortCode: string; originalUrl: string; title: string | null; clicks: number }[];
}

/** Short URLs by their clicks in a range. */
export const createTopUrls = (read: ReadAnalytics) => ({
  /** The most clicked ones of a scope, `limit` at most. Throws EmptyRange. */
  topUrls: async (
    question: Pick<AnalyticsQuery, 'scope' | 'from' | 'to' | 'timezone' | 'bots' | 'limit'>,
  ): Promise<TopUrls> =>
    await read(async (trx) => {
      const range = widen((await findRange(trx, question)).range, quarterMs);
      const facts = quarters(await findUrls(trx, question.scope), range);
      const { rows } = await trx.raw<{ rows: (TopUrls['urls'][number] & { all: number })[] }>(
        `select u.short_code as "shortCode", u.original_url as "originalUrl", u.title, top.clicks, top.all
         from (
           select url_id, clicks, cast(sum(clicks) over () as bigint) as all
           from (select url_id, cast(sum(${counted[question.bots]}) as bigint) as clicks
                 from (${facts.sql}) as fact group by url_id) as url
           where clicks > 0 order by clicks desc, url_id limit :limit
         ) as top join urls u on u.id = top.url_id
         order by top.clicks desc, u.id`,
        { ...facts.bindings, limit: question.limit },
      );
      return {
        range,
        clicks: rows[0]?.all ?? 0,
        urls: rows.map(({ shortCode, originalUrl, title, clicks }) => ({
          shortCode,
          originalUrl,
          title,
          clicks,
        })),
      };
    }),
});
