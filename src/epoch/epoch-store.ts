import { advisoryLocks } from '../storage/postgres/advisory-locks.ts';
import { boundedTransaction, type Knex, onlyRow } from '../storage/postgres/postgres.ts';
import type { Epoch } from './epoch.ts';

/** The epoch of the database, as read from PostgreSQL. */
export interface DatabaseEpoch extends Epoch {
  /** Seconds since the epoch began. */
  ageSeconds: number;
  /** Highest version issued so far. */
  version: number;
  /** Write-ahead log position on disk, in bytes; null when PostgreSQL does not reveal it. */
  walPosition: number | null;
  /** Write-ahead log position at which `version` survives a crash; null when PostgreSQL does not reveal it. */
  versionPosition: number | null;
}

export type EpochStore = ReturnType<typeof createEpochStore>;

const columns = `number, epoch, identity, version_floor as "versionFloor", reason, age_seconds as "ageSeconds", version,
  wal_position as "walPosition",
  case when wal_position is not null then pg_current_wal_insert_lsn() - '0/0'::pg_lsn end as "versionPosition"`;

/** How long a process waits for another one that begins an epoch, which takes a few milliseconds. */
const lockTimeoutMs = 1_000;

/** Reads and begins epochs in PostgreSQL. */
export function createEpochStore(db: Knex) {
  async function read(): Promise<DatabaseEpoch> {
    return onlyRow(await db.raw<{ rows: DatabaseEpoch[] }>(`select ${columns} from read_database_epoch()`));
  }

  return {
    /** Reads the current epoch. Begins a new one first if the database was restored, cloned or promoted since the
     *  epoch was written. */
    read,

    /** Begins an epoch with versions above `above`, unless another process has begun one after `after`. With
     *  `idsUntilRestart`, only IDs of short URLs that were created before PostgreSQL started keep their meaning.
     *  Resolves to the current epoch; rejects after waiting for another session for one second. */
    async begin(
      reason: string,
      above: number,
      { after, idsUntilRestart = false }: { after?: Epoch; idsUntilRestart?: boolean } = {},
    ): Promise<DatabaseEpoch> {
      return await boundedTransaction(db, async (trx) => {
        const store = createEpochStore(trx);
        await trx.raw(`select set_config('lock_timeout', '${lockTimeoutMs}ms', true)`);
        await trx.raw(`select pg_advisory_xact_lock(${advisoryLocks.epoch})`);
        const current = await store.read();
        if (after && current.epoch !== after.epoch) return current;
        await trx.raw('select begin_database_epoch(:reason, :above, true, :idsUntilRestart)', {
          reason,
          above,
          idsUntilRestart,
        });
        return await store.read();
      });
    },
  };
}
