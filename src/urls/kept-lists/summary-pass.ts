import { boundedTransaction, type Knex, onlyRow } from '../../storage/postgres/postgres.ts';
import { everyone, isDueSql } from './large-owners.ts';

/** A pass that has read nothing for this long has ended with its worker. */
const idleSeconds = 120;
/** Bytes of the longest name that is kept: an index entry has at most 2,700. Names of hosts are shorter. */
const maxNameBytes = 2_000;

/** A pass over all short URLs; its number is void once a later pass has begun. */
export interface SummaryPass {
  number: number;
  /** When it began, in ms of PostgreSQL's clock. */
  atMs: number;
}

export type SummaryPassStore = ReturnType<typeof createSummaryPassStore>;

/** Counts short URLs and clicks by tag and host, slice by slice, and replaces the kept summaries at the end. */
export function createSummaryPassStore(db: Knex) {
  /** Runs `work` while no other pass can begin; resolves to undefined if a later one has. */
  const inPass = async <T>(pass: SummaryPass, work: (trx: Knex) => Promise<T>): Promise<T | undefined> =>
    await boundedTransaction(db, async (trx) => {
      const { rows } = await trx.raw<{ rows: unknown[] }>(
        'update url_summary_pass set active_at = now() where number = :number returning 1',
        { number: pass.number },
      );
      return rows.length === 0 ? undefined : await work(trx);
    });

  return {
    /** Returns whose summaries are kept, and whether they are due again. */
    async readState(): Promise<{ owners: number[]; isDue: boolean }> {
      const { rows } = await db.raw<{ rows: { owners: number[]; isDue: boolean }[] }>(
        `select owners, ${isDueSql} as "isDue" from url_summary_pass`,
      );
      return rows[0] ?? { owners: [], isDue: true };
    },

    /** Begins a pass; resolves to undefined while another one is in progress. */
    async begin(): Promise<SummaryPass | undefined> {
      return await boundedTransaction(db, async (trx) => {
        const { rows } = await trx.raw<{ rows: SummaryPass[] }>(
          `insert into url_summary_pass as pass (number, active_at) values (1, now())
           on conflict (id) do update set number = pass.number + 1, active_at = now()
             where pass.active_at is null or pass.active_at < now() - make_interval(secs => :idleSeconds)
           returning number, cast(extract(epoch from now()) * 1000 as bigint) as "atMs"`,
          { idleSeconds },
        );
        if (rows.length > 0) await trx('url_summary_parts').del();
        return rows[0];
      });
    },

    async findHighestId(): Promise<number> {
      return onlyRow(
        await db.raw<{ rows: { highest: number }[] }>('select coalesce(max(id), 0) as highest from urls'),
      ).highest;
    },

    /** Returns the last of the next `size` ids; undefined without one. */
    async findSlice(after: number, size: number): Promise<number | undefined> {
      const result = await db.raw<{ rows: { last: number | null }[] }>(
        'select max(id) as last from (select id from urls where id > :after order by id limit :size) as slice',
        { after, size },
      );
      return onlyRow(result).last ?? undefined;
    },

    /** Counts the short URLs of a slice; false if another pass has begun. */
    async addSlice(
      pass: SummaryPass,
      slice: { after: number; last: number },
      owners: readonly number[],
    ): Promise<boolean> {
      const added = await inPass(pass, async (trx) => {
        await trx.raw(`set local work_mem = '64MB'`);
        await trx.raw(
          `with slice as materialized (
             select case when u.created_by = any(cast(:owners as bigint[])) then u.created_by end as owner, u.tags,
               split_part(u.original_url, '/', 3) as authority, s.click_count as clicks
             from urls u join url_stats s on s.url_id = u.id
             -- Both ranges: otherwise PostgreSQL may read all counters for each slice.
             where u.id > :after and u.id <= :last and s.url_id > :after and s.url_id <= :last and u.deleted_at is null
           ), named as materialized (
             select owner, 'tag' as kind, tag as name, count(*) as urls, sum(clicks) as clicks
             from slice cross join unnest(tags) as tag group by owner, tag
             union all
             select owner, 'host', host_of('//' || authority), urls, clicks
             from (select owner, authority, count(*) as urls, sum(clicks) as clicks from slice group by 1, 2) as authorities
           )
           insert into url_summary_parts as known (owner, kind, name, urls, clicks)
           select coalesce(owner, :everyone), kind, name, sum(urls), sum(clicks)
           from named where octet_length(name) <= :maxNameBytes
           group by grouping sets ((kind, name), (owner, kind, name))
           having grouping(owner) = 1 or owner is not null
           on conflict (owner, kind, name) do update
             set urls = known.urls + excluded.urls, clicks = known.clicks + excluded.clicks`,
          { ...slice, owners, everyone, maxNameBytes },
        );
        return true;
      });
      return added ?? false;
    },

    /** Replaces the kept summaries by those of a complete pass; false if another pass has begun. */
    async complete(
      pass: SummaryPass,
      { owners, seconds }: { owners: readonly number[]; seconds: number },
    ): Promise<boolean> {
      const completed = await inPass(pass, async (trx) => {
        // A million new names take about ten seconds.
        await trx.raw(`
          set local statement_timeout = '60s';
          delete from url_summaries as kept where not exists (
            select from url_summary_parts as part
            where part.owner = kept.owner and part.kind = kept.kind and part.name = kept.name);
          insert into url_summaries as kept select * from url_summary_parts
          on conflict (owner, kind, name) do update set urls = excluded.urls, clicks = excluded.clicks
            where (kept.urls, kept.clicks) <> (excluded.urls, excluded.clicks);
          delete from url_summary_parts`);
        await trx.raw(
          `update url_summary_pass set owners = cast(:owners as bigint[]), seconds = :seconds, active_at = null,
             as_of = to_timestamp(cast(:atMs as bigint) / 1000.0)`,
          { owners, seconds, atMs: pass.atMs },
        );
        return true;
      });
      return completed ?? false;
    },

    /** Ends a pass that was interrupted, so that the next one need not wait. */
    async abort(pass: SummaryPass): Promise<void> {
      await db('url_summary_pass').where({ number: pass.number }).update({ active_at: null });
    },

    /** Deletes all summaries: lists are counted when they are read. */
    async clear(): Promise<void> {
      await boundedTransaction(db, async (trx) => {
        const cleared = await trx('url_summary_pass')
          .whereNotNull('as_of')
          .update({ number: trx.raw('number + 1'), active_at: null, as_of: null, owners: '{}', seconds: 0 });
        if (cleared > 0) await trx.raw('delete from url_summaries; delete from url_summary_parts');
      });
    },
  };
}
