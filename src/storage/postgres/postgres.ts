import { setTimeout as delay } from 'node:timers/promises';
import knex, { type Knex } from 'knex';
import PostgresClient, { type PooledConnection } from 'knex/lib/dialects/postgres/index.js';
import pg from 'pg';
import { withDeadline } from '../../resilience/shutdown.ts';
import { createPostgresConnector } from './connector.ts';
import {
  asConnectionFailure,
  isConflict,
  isPostgresUnavailable,
  isRejectedData,
  isUnsupportedSetting,
} from './errors.ts';
import type { PoolObserver, PoolState, PostgresMetrics } from './metrics.ts';
import { SessionClient } from './session.ts';
import { getTypeParser } from './values.ts';

export type { Knex } from 'knex';
export { isPostgresUnavailable, isRejectedData };

/** How often a statement or transaction is run that PostgreSQL rolled back for the sake of another one. */
const maxTries = 10;
const longestPauseMs = 100;

const ignore = () => undefined;
const isTimeout = (error: unknown) => error instanceof Error && error.message === 'Query read timeout';

/** Connections with Linkmill's session settings, and statements that other sessions cannot make fail. No private members: knex makes the
 *  client of a transaction without its constructor. */
class LinkmillClient extends PostgresClient {
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

  override _driver(): object {
    return { ...pg, Client: SessionClient };
  }

  /** A pooler may refuse some session settings: from then on no connection sets them. */
  override async acquireRawConnection(): Promise<PooledConnection> {
    const settings = this.connectionSettings;
    const connect = async () => await super.acquireRawConnection();
    try {
      return await connect().catch(async (error: unknown) => {
        if (settings.withoutOptions || !isUnsupportedSetting(error)) throw error;
        this.connectionSettings = { ...settings, withoutOptions: true };
        return await connect();
      });
    } catch (error) {
      this.connectionSettings = settings;
      throw asConnectionFailure(error);
    }
  }

  /** Transactions are `read committed` unless they say otherwise, whatever the default of the session is. */
  override transaction(container: unknown, config: Knex.TransactionConfig | undefined, outer: unknown) {
    const isolated = outer ? config : { isolationLevel: 'read committed' as const, ...config };
    return super.transaction(container, isolated, outer);
  }

  /** A statement without a transaction has changed nothing when it fails in conflict with another one: it is run again. */
  override async _query(connection: PooledConnection, query: { sql: string }): Promise<object> {
    const run = async () => {
      const begin = performance.now();
      try {
        return await super._query(connection, query);
      } catch (error) {
        throw abandonHanging(connection, error);
      } finally {
        observers.get(this.config)?.queried((performance.now() - begin) / 1_000);
      }
    };
    // `create index concurrently` leaves an index behind when it fails.
    const isAtomic = !this.transacting && !/\bconcurrently\b/i.test(query.sql);
    return isAtomic ? await retryConflicts(run) : await run();
  }
}

/** pg gives up waiting for a query without ending it. Such a connection may be in the middle of a transaction, which the next user of
 *  the pool would continue and never commit: it is destroyed, and the server rolls back. Returns the error. */
function abandonHanging(connection: PooledConnection, error: unknown): unknown {
  if (isTimeout(error)) {
    connection.__knex__disposed = error;
    connection.connection.stream.destroy();
  }
  return connection.__knex__disposed === undefined ? error : asConnectionFailure(error);
}

/** The observer of each pool, by knex' configuration: a transaction has a client of its own with the same configuration. */
const observers = new WeakMap<object, PoolObserver>();

/** How long a new connection may take. On a busy machine that is longer than a query waits for it: the next query finds it. If both
 *  limits were the same, the connections that a failover or a long lock has ended would not be replaced until the load ends. */
const newConnectionMs = 6_000;

/** A pool of connections to PostgreSQL. bigint columns arrive as numbers (a RangeError above 2^53), timestamps as Date.
 *  A query fails after `queryTimeoutMs`, a hung server no less than a dead one. */
export function openPostgres(options: {
  url: string;
  poolMax: number;
  queryTimeoutMs: number;
  name: string;
  /** How long a query waits for a connection of the pool. */
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
    // What knex would print: failures of connections, which the query that meets them reports.
    log: { warn: ignore, error: ignore, debug: ignore, deprecate: ignore },
    pool: { min: 0, max: options.poolMax },
    acquireConnectionTimeout: connectMs,
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

/** A `read committed` transaction, run again after a deadlock: `work` must change nothing else. It holds its locks for a bounded
 *  time, even when its process is stopped in the middle, and waits a bounded time for those of others, even when its caller has
 *  gone: the server itself gives up. Holds through PgBouncer. */
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

/** Runs what PostgreSQL rolls back as a whole, again where that was for a deadlock or a conflict, a bounded number of times. */
async function retryConflicts<T>(run: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await run();
    } catch (error) {
      if (tries === maxTries || !isConflict(error)) throw error;
      await delay(Math.random() * Math.min(2 ** tries, longestPauseMs));
    }
  }
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
