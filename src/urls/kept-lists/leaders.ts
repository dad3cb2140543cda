import { type Knex, onlyRow } from '../../storage/postgres/postgres.ts';
import type { SearchQuery } from '../../storage/reads/search-query.ts';
import { urlColumns } from '../store/columns.ts';
import type { ShortUrl } from '../url.ts';
import { everyone, isDueSql } from './large-owners.ts';

/** The orders whose first short URLs are kept. */
export const leaderSorts = ['clicks', 'last_click'] as const;
export type LeaderSort = (typeof leaderSorts)[number];

/** Of how many leaders a page of a list is made: of more only if the page is not full, because each is read. */
export const listedLeaders = [1_000, 10_000] as const;

/** Sort values that JavaScript represents exactly: clicks, and microseconds since 1970, -1 if never clicked. */
const values: Record<LeaderSort, string> = {
  clicks: 'least(s.click_count, 9000000000000000)',
  last_click:
    'cast(coalesce(greatest(-1, least(9e15, extract(epoch from s.last_accessed_at) * 1000000)), -1) as bigint)',
};

/** A candidate: the short URL, and its sort value by order. */
type Candidate = { owner: number; id: number } & Record<LeaderSort, number>;

/** The first short URLs of each owner in each order, as far as they have been read. */
export type Leaders = Map<number, Record<LeaderSort, Candidate[]>>;

export type LeaderStore = ReturnType<typeof createLeaderStore>;

/** Finds and keeps the short URLs that come first by clicks and by last click. */
export function createLeaderStore(db: Knex) {
  return {
    async isDue(): Promise<boolean> {
      const { rows } = await db.raw<{ rows: { isDue: boolean }[] }>(
        `select ${isDueSql} as "isDue" from url_leaders where owner = :everyone`,
        { everyone },
      );
      return rows.length < leaderSorts.length || rows.some(({ isDue }) => isDue);
    },

    /** Returns the highest id, with the clock of PostgreSQL in ms. */
    async begin(): Promise<{ lastId: number; atMs: number }> {
      const result = await db.raw<{ rows: { lastId: number | null; atMs: number }[] }>(
        `select (select max(url_id) from url_stats) as "lastId", cast(extract(epoch from now()) * 1000 as bigint) as "atMs"`,
      );
      const { lastId, atMs } = onlyRow(result);
      return { lastId: lastId ?? 0, atMs };
    },

    /** Returns the lowest of the `size` ids up to `lastId`; undefined without one. */
    async findSlice(lastId: number, size: number): Promise<number | undefined> {
      const result = await db.raw<{ rows: { first: number | null }[] }>(
        `select min(url_id) as first
         from (select url_id from url_stats where url_id <= :lastId order by url_id desc limit :size) as slice`,
        { lastId, size },
      );
      return onlyRow(result).first ?? undefined;
    },

    /** Returns the short URLs of a slice that come before the last of `limit` leaders in some order. */
    async findCandidates(
      slice: { first: number; last: number },
      leaders: Leaders,
      limit: number,
    ): Promise<Candidate[]> {
      const owners = [...leaders.keys()];
      const last = (sort: LeaderSort) => owners.map((owner) => leaders.get(owner)![sort][limit - 1]);
      const lastValues = (sort: LeaderSort) => last(sort).map((candidate) => candidate?.[sort] ?? -2);
      const lastIds = (sort: LeaderSort) => last(sort).map((candidate) => candidate?.id ?? 0);
      // The order by clicks of all short URLs needs no column of theirs: reading them takes far longer than their counters.
      const hasKeys = owners.some((owner) => owner !== everyone);
      const { rows } = await db.raw<{ rows: Candidate[] }>(
        `select o.owner, s.url_id as id, ${values.clicks} as clicks, ${values.last_click} as last_click
         from url_stats s ${hasKeys ? 'join urls u on u.id = s.url_id and u.id between :first and :last' : ''}
         join unnest(cast(:owners as bigint[]), cast(:clicks as bigint[]), cast(:clickIds as bigint[]),
                     cast(:lastClicks as bigint[]), cast(:lastClickIds as bigint[]))
           as o (owner, clicks, clicks_id, last_click, last_click_id) on ${hasKeys ? 'o.owner in (0, u.created_by)' : 'true'}
         where s.url_id between :first and :last
           and ((${values.clicks}, s.url_id) > (o.clicks, o.clicks_id)
                or (${values.last_click}, s.url_id) > (o.last_click, o.last_click_id))`,
        {
          ...slice,
          owners,
          clicks: lastValues('clicks'),
          clickIds: lastIds('clicks'),
          lastClicks: lastValues('last_click'),
          lastClickIds: lastIds('last_click'),
        },
      );
      return rows;
    },

    /** Replaces the leaders of all owners by these, unless later ones are there. */
    async replace(leaders: Leaders, pass: { atMs: number; seconds: number }): Promise<void> {
      await db.transaction(async (trx) => {
        await trx('url_leaders')
          .whereNotIn('owner', [...leaders.keys()])
          .del();
        for (const [owner, orders] of leaders)
          for (const sort of leaderSorts)
            await trx.raw(
              `insert into url_leaders as known (owner, sort, url_ids, as_of, seconds)
               values (:owner, :sort, cast(:ids as bigint[]), to_timestamp(cast(:atMs as bigint) / 1000.0), :seconds)
               on conflict (owner, sort) do update
                 set url_ids = excluded.url_ids, as_of = excluded.as_of, seconds = excluded.seconds
                 where known.as_of < excluded.as_of`,
              { ...pass, owner, sort, ids: orders[sort].map(({ id }) => id) },
            );
      });
    },

    /** Deletes all leaders: lists are sorted when they are read. */
    clear: async (): Promise<void> => void (await db('url_leaders').del()),

    /** Returns the most clicked short URLs that redirect at `now`: of the leaders if enough are kept, else of all. */
    async findMostClicked(now: Date, limit: number): Promise<ShortUrl[]> {
      const kept = await db('url_leaders')
        .where({ owner: everyone, sort: 'clicks' })
        .whereRaw('cardinality(url_ids) >= ?', [limit])
        .first('owner');
      const source = kept
        ? `url_leaders l cross join unnest(l.url_ids) as leader (url_id) join url_stats s on s.url_id = leader.url_id
             and l.owner = :everyone and l.sort = 'clicks'`
        : 'url_stats s';
      const { rows } = await db.raw<{ rows: ShortUrl[] }>(
        `select ${urlColumns} from ${source} join urls u on u.id = s.url_id
         where s.click_count > 0 and u.is_active and u.deleted_at is null
           and (u.expires_at is null or u.expires_at > :now)
         order by s.click_count desc, u.id limit :limit`,
        { now, limit, everyone },
      );
      return rows;
    },
  };
}

/** When the leaders of an owner in an order were found; undefined if none are kept. */
export async function findLeadersTime(
  search: SearchQuery,
  owner: number,
  sort: LeaderSort,
): Promise<Date | undefined> {
  const [row] = await search<{ asOf: Date }>(
    'select as_of as "asOf" from url_leaders where owner = :owner and sort = :sort',
    { owner, sort },
  );
  return row?.asOf;
}
