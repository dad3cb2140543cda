import type { Knex } from 'knex';

const beginEpoch = 'begin_epoch(text, bigint, boolean, boolean)';

/** A session that writes to a restored database begins an epoch, and holds its locks until its transaction ends. Others wait for it for a
 *  second at most, also those whose client has disconnected, and then fail with lock_not_available (55P03). */
export async function up(db: Knex): Promise<void> {
  await db.raw(`alter function ${beginEpoch} set lock_timeout = '1s'`);
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`alter function ${beginEpoch} reset lock_timeout`);
}
