import { advisoryLocks } from '../postgres/advisory-locks.ts';
import { isConflict, isLockTimeout } from '../postgres/errors.ts';
import type { Knex } from '../postgres/postgres.ts';
import type { Patience } from './lock-timeout.ts';

/** How often a process looks whether another one has finished. */
const lookEveryMs = 500;

/** The longest wait of a migration for a lock of a table. While it waits, PostgreSQL makes every later statement on that table wait
 *  behind it, so this is also how long a request can be held up; then the migration steps back and tries again. */
const lockTimeout = '250ms';
/** A process that is stopped in the middle of a migration must not hold its locks for longer. */
const stepIdleTimeout = '10s';
/** Time limits that a role or database may set and that a long migration would run into. Those of newer servers are set where
 *  they exist. */
const unlimited = ['statement_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout'];

/** Runs `task` while no other process migrates this database; waits for another one as long as `patience` lasts. Keeps one
 *  connection of the pool. The lock is a transaction's: it ends with this process at the latest, and holds through PgBouncer. */
export async function whileNoneMigrates<T>(db: Knex, patience: Patience, task: () => Promise<T>): Promise<T> {
  for (;;) {
    const done = await tryWhileNoneMigrates(db, patience, task);
    if (done) return done.result;
    await patience.wait(lookEveryMs, 'another migration is running', async () => {
      return 'Another migration is running. Waiting for it to end.';
    });
  }
}

async function tryWhileNoneMigrates<T>(db: Knex, patience: Patience, task: () => Promise<T>) {
  let done: { result: T } | undefined;
  try {
    return await inTransaction(db, async (trx) => {
      // Last and without parameters: the result of a statement with some stays open, and a snapshot with it, until the next
      // statement of the transaction; an index that is built concurrently would wait for its end.
      const { rows } = await trx.raw<{ rows: [{ locked: boolean }] }>(
        `select pg_try_advisory_xact_lock(${advisoryLocks.migrationRun}) as locked`,
      );
      if (!rows[0].locked) return undefined;
      patience.reset();
      done = { result: await task() };
      return done;
    });
  } catch (error) {
    // The connection that held the lock was lost after the work was done.
    if (done) return done;
    throw error;
  }
}

/** Runs `work` in a transaction that excludes those of every other migration, waits only briefly for each lock, and is not cut short
 *  by time limits of the role or database. */
export async function inStep<T>(db: Knex, work: (trx: Knex) => Promise<T>): Promise<T> {
  return await inTransaction(db, async (trx) => {
    await trx.raw(`select set_config('idle_in_transaction_session_timeout', ?, true)`, [stepIdleTimeout]);
    await trx.raw('select pg_advisory_xact_lock(?)', [advisoryLocks.migration]);
    return await work(trx);
  });
}

async function inTransaction<T>(db: Knex, work: (trx: Knex) => Promise<T>): Promise<T> {
  return await db.transaction(
    async (trx) => {
      await trx.raw(`select set_config(name, '0', true) from pg_settings where name = any(?)`, [unlimited]);
      await trx.raw(`select set_config('lock_timeout', ?, true)`, [lockTimeout]);
      return await work(trx);
    },
    { isolationLevel: 'read committed' },
  );
}

/** Whether an error says that a lock was not to be had, or that PostgreSQL chose this transaction to end a conflict: the same
 *  statements may succeed later. */
export const isLockConflict = (error: unknown): boolean => isLockTimeout(error) || isConflict(error);

/** What holds up a migration, for people: the transaction of this database that has been open the longest. Roles without the right
 *  to see those of others get none named. */
export async function describeBlocker(db: Knex): Promise<string> {
  const { rows } = await db.raw<{ rows: { pid: number; name: string; seconds: number }[] }>(
    `select pid, coalesce(nullif(application_name, ''), backend_type) as name,
       round(extract(epoch from clock_timestamp() - xact_start))::integer as seconds
     from pg_stat_activity
     where datname = current_database() and application_name <> 'linkmill-migrate' and xact_start is not null
     order by xact_start limit 1`,
  );
  const [oldest] = rows;
  const blocker = oldest
    ? ` The longest open transaction is that of ${oldest.name} (process ${oldest.pid}, ${oldest.seconds} s).`
    : '';
  return `Other sessions hold locks on the tables. Trying again; requests are not blocked.${blocker}`;
}
