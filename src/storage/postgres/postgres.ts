import knex, { type Knex } from 'knex';
import { withDeadline } from '../../resilience/shutdown.ts';
import type { AdvisoryLock } from './advisory-locks.ts';
import { LinkmillClient, observers } from './client.ts';
import { isPostgresUnavailable, isRejectedData } from './errors.ts';
import type { PoolState, PostgresMetrics } from './metrics.ts';
import { retryConflicts } from './retry-conflicts.ts';
import { getTypeParser } from './values.ts';

export type { Knex } from 'knex';
export { isPostgresUnavailable, isRejectedData };

const ignore = () => undefined;
/** Time limit of a new connection. It is longer than the wait of a query, so that a slow connection serves the next query. With equal
 *  limits, a busy machine would not replace connections that a failover has ended until the load ends. */
const newConnectionMs = 6_000;

/** Opens a connection pool. bigint columns are read as numbers (RangeError above 2^53), timestamps as Date. A query fails after
 *  `queryTimeoutMs`, also when the server hangs. */
export function openPostgres(options: {
  url: string;
  poolMax: number;
  queryTimeoutMs: number;
  name: string;
  /** How long a query waits for a connection of the pool, in milliseconds. */
  connectMs?: number;
  metrics?: PostgresMetrics | undefined;
}): Knex {
  const { connectMs = 2_000 } = options;
  const db = knex({
    client: LinkmillClient,
    connection: {
      connectionString: options.url,
      application_name: `linkmill-${options.name}`,
      query_timeout: options.queryTimeoutMs,
      connectionTimeoutMillis: Math.max(connectMs, newConnectionMs),
      keepAlive: true,
      types: { getTypeParser },
    },
    // knex would print connection failures, which the failed query reports.
    log: { warn: ignore, error: ignore, debug: ignore, deprecate: ignore },
    pool: { min: 0, max: options.poolMax },
    acquireConnectionTimeout: connectMs,
  });
  const client = db.client as { config: object; pool: PoolState };
  if (options.metrics) observers.set(client.config, options.metrics.addPool(options.name, client.pool));
  return db;
}

/** How long closing a pool waits for queries in progress. */
const closeMs = 1_000;
/** The same for a pool that only reads. */
const abandonMs = 100;

/** Closes a pool. Queries that take longer than a second are rolled back by the server when the connection ends. */
export async function closePostgres(db: Knex): Promise<void> {
  await withDeadline(db.destroy(), closeMs, () => undefined);
}

/** Closes a pool whose results are no longer needed. */
export async function abandonPostgres(db: Knex): Promise<void> {
  await withDeadline(db.destroy(), abandonMs, () => undefined);
}

/** Runs a `read committed` transaction and retries it after a deadlock, so `work` must change nothing else. The server limits the waits for
 *  locks, the statements and the idle time, so that a stopped process does not hold locks. Works through PgBouncer. */
export async function boundedTransaction<T>(db: Knex, work: (trx: Knex) => Promise<T>): Promise<T> {
  const run = async (trx: Knex) => {
    await trx.raw(
      `select set_config('lock_timeout', '10s', true), set_config('statement_timeout', '30s', true),
              set_config('idle_in_transaction_session_timeout', '10s', true)`,
    );
    return await work(trx);
  };
  return await retryConflicts(async () => await db.transaction(run));
}

/** Runs `task` under an advisory lock and resolves to its result, or at once to undefined while another session holds the lock. The lock
 *  belongs to a transaction, so that it ends with its process and works through PgBouncer. Uses one connection. */
export async function tryWithLock<T>(
  db: Knex,
  lock: AdvisoryLock,
  task: () => Promise<T>,
): Promise<T | undefined> {
  return await db.transaction(async (transaction) => {
    // Without parameters: with parameters, the portal and its snapshot stay open until the next statement of the transaction, so that
    // VACUUM keeps dead rows and `create index concurrently` waits.
    const result = await transaction.raw<{ rows: { locked: boolean }[] }>(
      `select pg_try_advisory_xact_lock(${lock}) as locked`,
    );
    return onlyRow(result).locked ? await task() : undefined;
  });
}

/** The clock of PostgreSQL, which all processes share; the clock of a machine may be wrong. */
export async function readClock(db: Knex): Promise<Date> {
  return onlyRow(await db.raw<{ rows: { now: Date }[] }>('select now()')).now;
}

/** The only row of a result that always has one. */
export function onlyRow<Row>(result: { rows: Row[] }): Row {
  const [row] = result.rows;
  if (row === undefined) throw new Error('the statement returned no row');
  return row;
}
