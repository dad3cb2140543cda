import type { Knex } from 'knex';
import PostgresClient, { type PooledConnection } from 'knex/lib/dialects/postgres/index.js';
import pg from 'pg';
import { parsePostgresUrl } from '../connections/postgres-url.ts';
import { createPostgresConnector } from './connector.ts';
import { asConnectionFailure, isReadOnly, isUnsupportedSetting } from './errors.ts';
import type { PoolObserver } from './metrics.ts';
import { retryConflicts } from './retry-conflicts.ts';
import { SessionClient } from './session.ts';

const isTimeout = (error: unknown) => error instanceof Error && error.message === 'Query read timeout';

/** The observer of each pool, by the configuration of knex, which the clients of transactions share. */
export const observers = new WeakMap<object, PoolObserver>();

/** Connections with Linkmill's session settings, and retries of statements that conflict with other sessions. It has no private members,
 *  because knex creates the client of a transaction without its constructor. */
export class LinkmillClient extends PostgresClient {
  readonly connect = createPostgresConnector(this.connectionSettings.connectionString);

  override async acquireConnection(): Promise<PooledConnection> {
    const begin = performance.now();
    try {
      return await super.acquireConnection();
    } finally {
      observers.get(this.config)?.acquired((performance.now() - begin) / 1_000);
    }
  }

  /** As in knex, except that Linkmill parses the URL of the connection. */
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

  /** A pooler may reject some session settings: then no further connection sets them. */
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

  /** The default isolation of transactions is `read committed`, not the default of the session. */
  override transaction(container: unknown, config: Knex.TransactionConfig | undefined, outer: unknown) {
    const isolated = outer ? config : { isolationLevel: 'read committed' as const, ...config };
    return super.transaction(container, isolated, outer);
  }

  /** A statement outside a transaction that failed in a conflict has changed nothing: it is retried. */
  override async _query(connection: PooledConnection, query: { sql: string }): Promise<object> {
    const run = async () => {
      const begin = performance.now();
      try {
        return await super._query(connection, query);
      } catch (error) {
        // This host is a standby now: the next connection finds the primary.
        if (isReadOnly(error) && hasOtherHosts(this.connectionSettings)) connection.__knex__disposed = error;
        throw abandonHanging(connection, error);
      } finally {
        observers.get(this.config)?.queried((performance.now() - begin) / 1_000);
      }
    };
    // A failed `create index concurrently` leaves an invalid index.
    const isAtomic = !this.transacting && !/\bconcurrently\b/i.test(query.sql);
    return isAtomic ? await retryConflicts(run) : await run();
  }
}

const hasOtherHosts = ({ connectionString }: { connectionString: string }) =>
  parsePostgresUrl(connectionString).hosts.length > 1;

/** Destroys the connection of a query that timed out, so that the server rolls back: pg does not end the query, and the next user of the
 *  connection would continue its transaction. Returns the error. */
function abandonHanging(connection: PooledConnection, error: unknown): unknown {
  if (isTimeout(error)) {
    connection.__knex__disposed = error;
    connection.connection.stream.destroy();
  }
  return connection.__knex__disposed === undefined ? error : asConnectionFailure(error);
}
