import { otherValue } from '../rollups/daily-values.ts';
import type { ReadAnalytics } from './snapshot.ts';

/** Requests for unknown short codes on a UTC day. */
export interface UnknownCodeDay {
  day: string;
  requests: number;
  /** The most requested codes. */
  codes: { shortCode: string; requests: number }[];
}

/** Reads the counts that `unknown-codes.ts` writes. */
export const createUnknownCodeDays = (read: ReadAnalytics) => ({
  /** Up to `limit` days that have such requests, latest first, before a day; each with up to `codes` codes. */
  unknownCodes: async (query: {
    from?: string | undefined;
    to?: string | undefined;
    codes: number;
    before?: string | undefined;
    limit: number;
  }): Promise<UnknownCodeDay[]> =>
    await read(async (trx) => {
      const { rows } = await trx.raw<{ rows: UnknownCodeDay[] }>(
        `select to_char(day, 'YYYY-MM-DD') as day, cast(sum(requests) as bigint) as requests,
                coalesce(json_agg(json_build_object('shortCode', short_code, 'requests', requests) order by rank)
                         filter (where rank <= :codes and short_code <> :otherValue), '[]') as codes
         from (
           select *, row_number() over (partition by day order by short_code = :otherValue, requests desc, short_code) as rank
           from unknown_codes_daily, coalesce(cast(:to as date), cast(now() at time zone 'UTC' as date)) as last_day
           where day between coalesce(cast(:from as date), last_day - 29) and last_day
             and (cast(:before as date) is null or day < cast(:before as date))
         ) as code
         group by day having sum(requests) > 0 order by day desc limit :limit`,
        {
          from: query.from ?? null,
          to: query.to ?? null,
          codes: query.codes,
          before: query.before ?? null,
          limit: query.limit,
          otherValue,
        },
      );
      return rows;
    }),
});
