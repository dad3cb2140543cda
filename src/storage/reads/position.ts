import { type Knex, onlyRow } from '../postgres/postgres.ts';

/** A state of the database: what was committed before it was read, in the epoch of that time. */
export interface Position {
  /** In the write-ahead log. */
  lsn: string;
  /** UUID of the epoch. After a failover, a standby of the former primary has another one: the first write begins it. */
  epoch: string | null;
}

const latestEpoch = '(select epoch from database_epochs order by number desc limit 1)';

/** Returns the present position of the primary; one round trip. */
export async function findPosition(primary: Knex): Promise<Position> {
  return onlyRow(
    await primary.raw<{ rows: Position[] }>(
      `select cast(case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_insert_lsn() end as text) as lsn,
              cast(${latestEpoch} as text) as epoch`,
    ),
  );
}

/** Of a server: whether it has replayed a position, is behind it, or is no standby of this database (any more). */
export type ReplayState = 'replayed' | 'behind' | 'foreign';

/** Compares the server of a connection with a position. */
export async function compareReplay(replica: Knex, position: Position): Promise<ReplayState> {
  const result = await replica.raw<{ rows: { state: ReplayState }[] }>(
    `select case
       when not pg_is_in_recovery() or pg_last_wal_replay_lsn() is null then 'foreign'
       when pg_last_wal_replay_lsn() < cast(:lsn as pg_lsn) then 'behind'
       when ${latestEpoch} is distinct from cast(:epoch as uuid) then 'foreign'
       else 'replayed' end as state`,
    { ...position },
  );
  return onlyRow(result).state;
}
