declare module 'knex/lib/dialects/postgres/index.js' {
  import type { Duplex } from 'node:stream';
  import type { Knex } from 'knex';

  /** A pg client as knex pools it; one with an error in `__knex__disposed` is not handed out again. */
  export interface PooledConnection {
    __knex__disposed?: unknown;
    connection: { stream: Duplex };
    on(event: 'error' | 'end', listener: (error?: unknown) => void): unknown;
    connect(): Promise<unknown>;
  }

  export default class PostgresClient extends Knex.Client {
    config: object;
    acquireConnection(): Promise<PooledConnection>;
    connectionSettings: { connectionString: string };
    driver: { Client: new (config: object) => PooledConnection };
    _acquireOnlyConnection(): Promise<PooledConnection>;
    _query(connection: PooledConnection, query: object): Promise<object>;
  }
}
