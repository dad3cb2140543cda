import { type Knex, onlyRow } from '../postgres.ts';
import type { Epoch } from './epoch.ts';

/** What PostgreSQL says about its epoch. */
export interface DatabaseEpoch extends Epoch {
  /** Seconds since it began. */
  ageSeconds: number;
  /** The highest version that was issued. */
  version: number;
  /** How far the write-ahead log is on disk, in bytes; null where PostgreSQL does not tell. */
  walPosition: number | null;
}

export type EpochStore = ReturnType<typeof createEpochStore>;

const columns = `number, epoch, identity, version_floor as "versionFloor", reason, age_seconds as "ageSeconds", version,
  wal_position as "walPosition"`;

/** Epochs in PostgreSQL. */
export function createEpochStore(db: Knex) {
  async function read(): Promise<DatabaseEpoch> {
    return onlyRow(await db.raw<{ rows: DatabaseEpoch[] }>(`select ${columns} from read_database_epoch()`));
  }

  return {
    /** The current epoch. Where the database was restored, cloned or promoted since it was written, a new one begins first. */
    read,

    /** Begins an epoch with versions above `above`. With `idsUntilRestart`, only ids of short URLs that were created before
     *  PostgreSQL started name the same short URL as before. */
    async begin(reason: string, above: number, { idsUntilRestart = false } = {}): Promise<DatabaseEpoch> {
      await db.raw('select begin_database_epoch(:reason, :above, true, :idsUntilRestart)', {
        reason,
        above,
        idsUntilRestart,
      });
      return await read();
    },
  };
}
