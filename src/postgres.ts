import knex, { type Knex } from 'knex';
import PostgresClient, { type PooledConnection } from 'knex/lib/dialects/postgres/index.js';
import pg from 'pg';
import { StoreAway } from './breaker.ts';
import { createPostgresConnector } from './connections/postgres-client.ts';
import { withDeadline } from './lifecycle.ts';
import type { PoolObserver, PoolState, PostgresMetrics } from './postgres-metrics.ts';

export type { Knex } from 'knex';

const int8Oid = 20;
const ignore = () => undefined;
const isTimeout = (error: unknown) => error instanceof Error && error.message === 'Query read timeout';

/** pg gives up waiting for a query without ending it. Such a connection may be in the middle of a transaction, which the
 *  next user of the pool would go on with and nobody would commit: it is destroyed, and the server rolls back. */
class AbandoningClient extends PostgresClient {
  readonly connect = createPostgresConnector(this.connectionSettings.connectionString);

  override async acquireConnection(): Promise<PooledConnection> {
    const begin = performance.now();
    try {
      return await super.acquireConnection();
    } finally {
      observers.get(this.config)?.acquired((performance.now() - begin) / 1_000);
    }
  }

  /** The same as in knex, with what the URL of the connection says read by ourselves. */
  override async _acquireOnlyConnection(): Promise<PooledConnection> {
    const { connectionString: _, ...settings } = this.connectionSettings;
    return await this.connect(async (config) => {
      const connection = new this.driver.Client({ ...settings, ...config });
      const dispose = (error: unknown) => {
        connection.__knex__disposed = error ?? 'Connection ended unexpectedly';
      };
      connection.on('error', dispose);
      connection.on('end', dispose);
      await connection.connect();
      return connection;
    });
  }

  override async _query(connection: PooledConnection, query: object): Promise<object> {
    const begin = performance.now();
    try {
      return await super._query(connection, query);
    } catch (error) {
      if (isTimeout(error)) {
        connection.__knex__disposed = error;
        connection.connection.stream.destroy();
      }
      throw error;
    } finally {
      observers.get(this.config)?.queried((performance.now() - begin) / 1_000);
    }
  }
}

/** The observer of each pool, by knex' configuration: a transaction has a client of its own with the same configuration. */
const observers = new WeakMap<object, PoolObserver>();

/** A pool of connections to PostgreSQL. bigint columns arrive as numbers (a RangeError above 2^53), timestamps as Date.
 *  A query fails after `queryTimeoutMs`, a hung server no less than a dead one. */
export function openPostgres(options: {
  url: string;
  poolMax: number;
  queryTimeoutMs: number;
  name: string;
  metrics?: PostgresMetrics | undefined;
}): Knex {
  const db = knex({
    client: AbandoningClient,
    connection: {
      connectionString: options.url,
      application_name: `linkmill-${options.name}`,
      query_timeout: options.queryTimeoutMs,
      connectionTimeoutMillis: 2_000,
      keepAlive: true,
      types: { getTypeParser },
    },
    // What knex would print: failures of connections, which the query that meets them reports.
    log: { warn: ignore, error: ignore, debug: ignore, deprecate: ignore },
    pool: { min: 0, max: options.poolMax },
    acquireConnectionTimeout: 2_000,
  });
  const client = db.client as { config: object; pool: PoolState };
  if (options.metrics) observers.set(client.config, options.metrics.addPool(options.name, client.pool));
  return db;
}

/** How long the end of a pool waits for queries in hand. */
const closeMs = 1_000;
/** The same where it only reads. */
const abandonMs = 100;

/** Ends a pool. What PostgreSQL has not answered within a second is left to it: it rolls back when the connection is gone. */
export async function closePostgres(db: Knex): Promise<void> {
  await withDeadline(db.destroy(), closeMs, () => undefined);
}

/** Ends a pool of which nobody waits for an answer any more. */
export async function abandonPostgres(db: Knex): Promise<void> {
  await withDeadline(db.destroy(), abandonMs, () => undefined);
}

/** A transaction that holds its locks for a bounded time, even when its process is stopped in the middle, and waits for those of
 *  others for a bounded time, even when nobody listens to it any more: the server itself gives up. Holds through PgBouncer. */
export async function boundedTransaction<T>(db: Knex, work: (trx: Knex) => Promise<T>): Promise<T> {
  return await db.transaction(async (trx) => {
    await trx.raw(
      `select set_config('lock_timeout', '10s', true), set_config('statement_timeout', '30s', true),
              set_config('idle_in_transaction_session_timeout', '10s', true)`,
    );
    return await work(trx);
  });
}

/** Runs `task` and resolves to what it gives, or to undefined, at once, while the same lock is held elsewhere. The lock is a
 *  transaction's: it ends with its process at the latest, and holds through PgBouncer. Takes a connection for itself. */
export async function tryWithLock<T>(
  db: Knex,
  lockNumber: number,
  task: () => Promise<T>,
): Promise<T | undefined> {
  return await db.transaction(async (transaction) => {
    // Without parameters: the result of a statement with some stays open, and a snapshot with it, until the next statement of the
    // transaction; for so long VACUUM would keep dead rows, and an index that is built concurrently would wait.
    const result = await transaction.raw<{ rows: { locked: boolean }[] }>(
      `select pg_try_advisory_xact_lock(${lockNumber}) as locked`,
    );
    return onlyRow(result).locked ? await task() : undefined;
  });
}

/** PostgreSQL's clock, which is the same for every process: that of one machine may be days off. */
export async function readClock(db: Knex): Promise<Date> {
  return onlyRow(await db.raw<{ rows: { now: Date }[] }>('select now()')).now;
}

/** The first row of a result, which a statement of this shape always gives. */
export function onlyRow<Row>(result: { rows: Row[] }): Row {
  const [row] = result.rows;
  if (row === undefined) throw new Error('the statement gave no row');
  return row;
}

/** Whether an error says that PostgreSQL cannot be reached or cannot answer now, as opposed to refusing a statement. */
export function isPostgresUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof StoreAway) return error.store === 'PostgreSQL';
  if (error instanceof knex.KnexTimeoutError) return true;
  const code = 'code' in error ? String(error.code) : '';
  if (/^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN)$/.test(code))
    return true;
  // Classes 08 (connection), 53 (out of resources), 57P (shutting down, starting up); 25006: a standby without a primary.
  if (/^(08...|53...|57P..|25006)$/.test(code)) return true;
  return /^(Connection terminated|Query read timeout|timeout expired|Client has encountered a connection error)/.test(
    error.message.replace(/^.* - (?=Connection terminated|Query read timeout|timeout expired)/s, ''),
  );
}

/** Whether an error says that PostgreSQL does not store such values, whoever asks and however often. */
export function isRefusedData(error: unknown): boolean {
  // Class 22 (data exception); 23514: a check constraint.
  return error instanceof Error && 'code' in error && /^(22...|23514)$/.test(String(error.code));
}

function getTypeParser(oid: number, format?: string) {
  return oid === int8Oid ? safeInteger : pg.types.getTypeParser(oid, format === 'binary' ? 'binary' : 'text');
}

function safeInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`bigint ${text} does not fit a number`);
  return value;
}
