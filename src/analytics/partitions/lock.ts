import { advisoryLocks } from '../../storage/postgres/advisory-locks.ts';
import { isLockTimeout } from '../../storage/postgres/errors.ts';
import type { Knex } from '../../storage/postgres/postgres.ts';

const lockNumber = advisoryLocks.partitions;
/** How long clicks wait at most behind a change of partitions that itself waits for somebody. */
const lockTimeout = '1s';
/** Less than a worker waits: what it does not wait for any more must not go on with its locks. */
const statementTimeout = '50s';

/** A transaction that changes partitions or counts their visitors, one at a time; "busy" where a lock is not to be had soon. */
export async function changing<T>(db: Knex, work: (trx: Knex) => Promise<T>): Promise<T | 'busy'> {
  try {
    return await db.transaction(async (trx) => {
      await trx.raw(
        `select set_config('lock_timeout', :lockTimeout, true), set_config('statement_timeout', :statementTimeout, true),
                set_config('work_mem', '64MB', true), pg_advisory_xact_lock(:lockNumber)`,
        { lockTimeout, statementTimeout, lockNumber },
      );
      return await work(trx);
    });
  } catch (error) {
    if (isLockTimeout(error)) return 'busy';
    throw error;
  }
}

/** Lets nobody begin such a transaction until this one ends, and waits for the one that is under way. */
export async function keepUnchanged(trx: Knex): Promise<void> {
  await trx.raw('select pg_advisory_xact_lock_shared(:lockNumber)', { lockNumber });
}
