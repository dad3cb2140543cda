import { type Knex, onlyRow } from '../../storage/postgres/postgres.ts';

/** A host that no short URL may lead to, as the table has it. */
export interface BlockedHost {
  host: string;
  reason: string | null;
  createdAt: Date;
  /** The API key that it was blocked with; null for what another program inserted. */
  createdBy: number | null;
}

export type BlockedHostStore = ReturnType<typeof createBlockedHostStore>;

const columns = 'host, reason, created_at as "createdAt", created_by as "createdBy"';

/** The table of blocked hosts. */
export const createBlockedHostStore = (db: Knex) => ({
  /** How often the list was changed and, where that is another number than the one that is known, all hosts, separated by spaces:
   *  one text of 100,000 takes a fraction of the time of as many rows. */
  async readIfChanged(known: number | null): Promise<{ version: number; hosts: string | null }> {
    return onlyRow(
      await db.raw<{ rows: { version: number; hosts: string | null }[] }>(
        `select version, case when version is distinct from cast(:known as bigint)
                then (select coalesce(string_agg(host, ' '), '') from blocked_hosts) end as hosts
         from blocked_hosts_version`,
        { known },
      ),
    );
  },

  /** Blocks hosts; resolves to how many of them were not blocked yet. Those that were stay as they are. */
  async add(hosts: string[], more: { reason: string | null; createdBy: number | null }): Promise<number> {
    const { rowCount } = await db.raw<{ rowCount: number }>(
      `insert into blocked_hosts (host, reason, created_by)
       select distinct host, cast(:reason as text), cast(:createdBy as bigint)
       from unnest(cast(:hosts as text[])) as host order by host
       on conflict (host) do nothing`,
      { hosts, ...more },
    );
    return rowCount;
  },

  /** Blocks a host no longer; false where it was not blocked. */
  async remove(host: string): Promise<boolean> {
    const { rowCount } = await db.raw<{ rowCount: number }>('delete from blocked_hosts where host = :host', {
      host,
    });
    return rowCount > 0;
  },

  /** So many blocked hosts, in alphabetical order, those behind `after`. */
  async list({ after, limit }: { after: string; limit: number }): Promise<BlockedHost[]> {
    const { rows } = await db.raw<{ rows: BlockedHost[] }>(
      `select ${columns} from blocked_hosts where host > :after order by host limit :limit`,
      { after, limit },
    );
    return rows;
  },
});
