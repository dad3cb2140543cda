import { advisoryLocks } from '../postgres/advisory-locks.ts';
import { isConflict, isLockTimeout } from '../postgres/errors.ts';
import type { Knex } from '../postgres/postgres.ts';
import type { LockTimeout } from './lock-timeout.ts';

/** How often a process checks whether another one has finished. */
const pollEveryMs = 500;

/** The longest wait of a migration for a table lock. While it waits, later statements on the table queue behind it, so this limits the
 *  delay of requests too. Then the migration releases its locks and retries. */
const statementLockTimeout = '250ms';
/** A process that is stopped during a migration must not hold its locks for longer. */
const idleTimeout = '10s';
/** Time limits of a role or database that a long migration would exceed. Those of newer servers are set when they exist. */
const unlimited = ['statement_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout'];

/** Runs `task` while no other process migrates this database; waits for another one until the lock timeout. Uses one connection of the
 *  pool. The lock belongs to a transaction, so that it ends with this process and works through PgBouncer. */
export async function withMigrationLock<T>(
  db: Knex,
  lockTimeout: LockTimeout,
  task: () => Promise<T>,
): Promise<T> {
  for (;;) {
    const done = await tryWithMigrationLock(db, lockTimeout, task);
    if (done) return done.result;
    await lockTimeout.wait(pollEveryMs, 'another migration is running', async () => {
      return 'Another migration is running. Waiting for it to finish.';
    });
  }
}

async function tryWithMigrationLock<T>(db: Knex, lockTimeout: LockTimeout, task: () => Promise<T>) {
  let done: { result: T } | undefined;
  try {
    return await inTransaction(db, async (trx) => {
      // Last and without parameters: with parameters, the portal and its snapshot stay open until the next statement of the
      // transaction, and `create index concurrently` would wait for it.
      const { rows } = await trx.raw<{ rows: [{ locked: boolean }] }>(
        `select pg_try_advisory_xact_lock(${advisoryLocks.migrationRun}) as locked`,
      );
      if (!rows[0].locked) return undefined;
      lockTimeout.reset();
      done = { result: await task() };
      return done;
    });
  } catch (error) {
    // The connection of the lock was lost after the task had finished.
    if (done) return done;
    throw error;
  }
}

/** Runs `work` in a transaction that excludes every other migration, waits only briefly for each lock, and ignores time limits of the role
 *  or database. */
export async function inMigration<T>(db: Knex, work: (trx: Knex) => Promise<T>): Promise<T> {
  return await inTransaction(db, async (trx) => {
    await trx.raw(`select set_config('idle_in_transaction_session_timeout', ?, true)`, [idleTimeout]);
    await trx.raw('select pg_advisory_xact_lock(?)', [advisoryLocks.migration]);
    return await work(trx);
  });
}

async function inTransaction<T>(db: Knex, work: (trx: Knex) => Promise<T>): Promise<T> {
  return await db.transaction(
    async (trx) => {
      await trx.raw(`select set_config(name, '0', true) from pg_settings where name = any(?)`, [unlimited]);
      await trx.raw(`select set_config('lock_timeout', ?, true)`, [statementLockTimeout]);
      return await work(trx);
    },
    { isolationLevel: 'read committed' },
  );
}

/** Whether a lock was not available, or PostgreSQL rolled the transaction back in a conflict: a retry may succeed. */
export const isLockConflict = (error: unknown): boolean => isLockTimeout(error) || isConflict(error);

/** Describes what blocks a migration: the oldest open transaction of this database, if the role may see those of other sessions. */
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
    ? ` The oldest open transaction belongs to ${oldest.name} (process ${oldest.pid}, ${oldest.seconds} s).`
    : '';
  return `Other sessions hold locks on the tables. Retrying without blocking requests.${blocker}`;
}
