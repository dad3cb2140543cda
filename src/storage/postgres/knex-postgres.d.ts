declare module 'knex/lib/dialects/postgres/index.js' {
  import type { Duplex } from 'node:stream';
  import type { Knex } from 'knex';

  /** A pg client in the pool of knex; with an error in `__knex__disposed` it is not used again. */
  export interface PooledConnection {
    __knex__disposed?: unknown;
    connection: { stream: Duplex };
    on(event: 'error' | 'end', listener: (error?: unknown) => void): unknown;
    connect(): Promise<unknown>;
    query(sql: string): Promise<unknown>;
    end(): Promise<unknown>;
  }

  export default class PostgresClient extends Knex.Client {
    config: object;
    acquireConnection(): Promise<PooledConnection>;
    /** Set on the client of a transaction. */
    transacting?: boolean;
    connectionSettings: { connectionString: string; withoutOptions?: boolean };
    driver: { Client: new (config: object) => PooledConnection };
    _driver(): object;
    _acquireOnlyConnection(): Promise<PooledConnection>;
    acquireRawConnection(): Promise<PooledConnection>;
    _query(connection: PooledConnection, query: { sql: string }): Promise<object>;
    transaction(
      container: unknown,
      config: Knex.TransactionConfig | undefined,
      outer: unknown,
    ): Knex.Transaction;
  }
}
