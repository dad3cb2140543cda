import { advisoryLocks } from '../storage/postgres/advisory-locks.ts';
import { boundedTransaction, type Knex, onlyRow } from '../storage/postgres/postgres.ts';
import type { Epoch } from './epoch.ts';

/** What PostgreSQL says about its epoch. */
export interface DatabaseEpoch extends Epoch {
  /** Seconds since it began. */
  ageSeconds: number;
  /** The highest version that was issued. */
  version: number;
  /** How far the write-ahead log is on disk, in bytes; null where PostgreSQL does not tell. */
  walPosition: number | null;
  /** How far the write-ahead log has to be on disk for `version` to survive a crash; null where PostgreSQL does not tell. */
  versionPosition: number | null;
}

export type EpochStore = ReturnType<typeof createEpochStore>;

const columns = `number, epoch, identity, version_floor as "versionFloor", reason, age_seconds as "ageSeconds", version,
  wal_position as "walPosition",
  case when wal_position is not null then pg_current_wal_insert_lsn() - '0/0'::pg_lsn end as "versionPosition"`;

/** How long a process waits for another one that begins an epoch, which takes a few milliseconds. */
const turnMs = 1_000;

/** Epochs in PostgreSQL. */
export function createEpochStore(db: Knex) {
  async function read(): Promise<DatabaseEpoch> {
    return onlyRow(await db.raw<{ rows: DatabaseEpoch[] }>(`select ${columns} from read_database_epoch()`));
  }

  return {
    /** The current epoch. Where the database was restored, cloned or promoted since it was written, a new one begins first. */
    read,

    /** Begins an epoch with versions above `above`, unless another process has begun one after `after`. With `idsUntilRestart`, only ids
     *  of short URLs that were created before PostgreSQL started name the same short URL as before. Resolves to the current epoch;
     *  rejects when it waits for another session for more than a second. */
    async begin(
      reason: string,
      above: number,
      { after, idsUntilRestart = false }: { after?: Epoch; idsUntilRestart?: boolean } = {},
    ): Promise<DatabaseEpoch> {
      return await boundedTransaction(db, async (trx) => {
        const store = createEpochStore(trx);
        await trx.raw(`select set_config('lock_timeout', '${turnMs}ms', true)`);
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
