import { isShortCode } from '../../keys/short-code.ts';
import type { Knex } from '../../storage/postgres/postgres.ts';
import { hasCodeOf } from '../../urls/store/aliases.ts';
import { isOwned, type Owner } from '../../urls/store/owner.ts';
import { countByUrlAndTime } from './groups.ts';
import type { AnalyticsQuery, Range } from './query.ts';
import { findRange, quarterMs, widen } from './range.ts';
import type { ReadAnalytics } from './snapshot.ts';
import { rollUps } from './sources.ts';

export type UrlTrends = ReturnType<typeof createUrlTrends>;

/** Clicks of several short URLs by time. */
interface Trends {
  range: Range;
  /** Start of each interval. */
  starts: Date[];
  /** Short URLs that exist, with their clicks in each interval. */
  urls: { shortCode: string; clicks: number[] }[];
}

/** Counts the clicks of several short URLs by time. Each answer is from one snapshot. */
export const createUrlTrends = (read: ReadAnalytics) => ({
  /** Reads the roll-ups once for all short URLs. Leaves out codes that do not exist, or belong to other owners. Throws EmptyRange,
   *  UnknownTimezone and TooManyBuckets. */
  query: async (
    query: Pick<AnalyticsQuery, 'from' | 'to' | 'timezone' | 'interval' | 'bots'> & {
      owner: Owner;
      shortCodes: string[];
    },
  ): Promise<Trends> =>
    await read(async (trx) => {
      const ids = await findIds(trx, query.shortCodes, query.owner);
      const requested = await findRange(trx, query);
      const range = widen(requested.range, quarterMs);
      const urls = {
        sql: 'url_id = any(cast(:urlIds as bigint[]))',
        bindings: { urlIds: [...new Set(ids.values())] },
      };
      const buckets = await countByUrlAndTime(
        trx,
        rollUps(urls, range, requested.hasWholeHours),
        range,
        query,
      );
      const clicksByUrl = new Map(urls.bindings.urlIds.map((id) => [id, buckets.map(() => 0)]));
      for (const [i, { clicks }] of buckets.entries())
        for (const { urlId, clicks: count } of clicks) clicksByUrl.get(urlId)![i] = count;
      return {
        range,
        starts: buckets.map(({ start }) => start),
        urls: [...ids].map(([shortCode, id]) => ({ shortCode, clicks: clicksByUrl.get(id)! })),
      };
    }),
});

/** The IDs of short URLs by their codes, in the order of the codes. */
async function findIds(trx: Knex, shortCodes: string[], owner: Owner): Promise<Map<string, number>> {
  const { rows } = await trx.raw<{ rows: { code: string; id: number }[] }>(
    `select given.code, u.id
     from unnest(cast(:shortCodes as text[])) with ordinality as given (code, position) join urls u on ${hasCodeOf('given.code')}
     where u.deleted_at is null and ${isOwned} order by given.position`,
    { shortCodes: [...new Set(shortCodes)].filter(isShortCode), owner },
  );
  return new Map(rows.map(({ code, id }) => [code, id]));
}
