import { type Knex, onlyRow } from '../../storage/postgres/postgres.ts';

declare module 'knex/types/tables.js' {
  interface Tables {
    blocked_hosts: { host: string; reason: string | null; created_at: Date; created_by: number | null };
  }
}

/** A row of the blocklist. */
export interface BlockedHost {
  host: string;
  reason: string | null;
  createdAt: Date;
  /** The API key that blocked it; null if another program inserted it. */
  createdBy: number | null;
}

export type BlockedHostStore = ReturnType<typeof createBlockedHostStore>;

const columns = { host: 'host', reason: 'reason', createdAt: 'created_at', createdBy: 'created_by' } as const;

/** The table of blocked hosts. */
export const createBlockedHostStore = (db: Knex) => ({
  /** Reads the version of the list and, if it differs from `knownVersion`, all hosts separated by spaces. One text of
   *  100,000 hosts takes a fraction of the time of as many rows. */
  async readIfChanged(knownVersion: number | null): Promise<{ version: number; hosts: string | null }> {
    return onlyRow(
      await db.raw<{ rows: { version: number; hosts: string | null }[] }>(
        `select version, case when version is distinct from cast(:knownVersion as bigint)
                then (select coalesce(string_agg(host, ' '), '') from blocked_hosts) end as hosts
         from blocked_hosts_version`,
        { knownVersion },
      ),
    );
  },

  /** Blocks hosts; resolves to the number that were not blocked before. Existing rows stay unchanged. */
  async add(hosts: string[], details: { reason: string | null; createdBy: number | null }): Promise<number> {
    const { rowCount } = await db.raw<{ rowCount: number }>(
      `insert into blocked_hosts (host, reason, created_by)
       select distinct host, cast(:reason as text), cast(:createdBy as bigint)
       from unnest(cast(:hosts as text[])) as host order by host
       on conflict (host) do nothing`,
      { hosts, ...details },
    );
    return rowCount;
  },

  /** Unblocks a host; false if it was not blocked. */
  remove: async (host: string): Promise<boolean> => (await db('blocked_hosts').where({ host }).delete()) > 0,

  /** Lists up to `limit` blocked hosts after `after`, in alphabetical order. */
  list: async ({ after, limit }: { after: string; limit: number }): Promise<BlockedHost[]> =>
    await db('blocked_hosts').select(columns).where('host', '>', after).orderBy('host').limit(limit),
});
