import type { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import pg from 'pg';
import { PasswordMissing, UnsupportedLogin } from './errors.ts';

/** Settings that decide how PostgreSQL reads and writes values. Sent at the start of each connection, where they take precedence over
 *  those of the server, database, role, URL and `PGOPTIONS`. PgBouncer keeps these four apart for each of its clients. */
const startSettings = {
  DateStyle: 'ISO, MDY',
  TimeZone: 'UTC',
  client_encoding: 'UTF8',
  standard_conforming_strings: 'on',
} as const;

/** Settings that PgBouncer does not support: it refuses a connection that sets them. */
const optionSettings = {
  IntervalStyle: 'postgres',
  array_nulls: 'on',
  bytea_output: 'hex',
  default_transaction_isolation: 'read committed',
  exit_on_error: 'off',
  extra_float_digits: '1',
  gin_fuzzy_search_limit: '0',
  idle_in_transaction_session_timeout: '0',
  idle_session_timeout: '0',
  lock_timeout: '0',
  // Where policies hide rows from the role, a statement fails instead of answering as if the rows did not exist.
  row_security: 'off',
  statement_timeout: '0',
  transform_null_equals: 'off',
} as const;

/** Each session setting that Linkmill relies on, with the value that it needs, as `current_setting` spells it. */
export const neededSettings: Readonly<Record<string, string>> = {
  ...startSettings,
  ...optionSettings,
  session_replication_role: 'origin',
  // Since PostgreSQL 17; older ones refuse a connection that sets it.
  transaction_timeout: '0',
};

const options = Object.entries(optionSettings)
  .map(([name, value]) => `-c ${name}=${value.replaceAll(' ', '\\ ')}`)
  .join(' ');

export interface SessionConfig extends pg.ClientConfig {
  /** Asks for no settings that PgBouncer refuses. */
  withoutOptions?: boolean;
}

/** What pg sends when a connection begins; its types leave that out. */
interface Startup {
  connection: EventEmitter & { stream: Duplex; attachListeners: (stream: Duplex) => void };
  connectionParameters: Record<string, unknown>;
  getStartupConf(): Record<string, string>;
  connect(): Promise<unknown>;
  _getPassword(next: () => void): void;
}

const StartingClient = pg.Client as unknown as new (
  config: pg.ClientConfig,
) => Omit<pg.Client, 'connect'> & Startup;

/** A connection whose session settings are Linkmill's, whatever the server, database, role or URL has set. Triggers tell Linkmill's
 *  own writes by the application name, and pg itself would let the URL change it. */
export class SessionClient extends StartingClient {
  readonly #withoutOptions: boolean;

  constructor(config: SessionConfig) {
    super(config);
    this.#withoutOptions = config.withoutOptions ?? false;
    endOnUnreadable(this.connection);
    Object.assign(this.connectionParameters, {
      application_name: config.application_name,
      query_timeout: config.query_timeout,
      statement_timeout: undefined,
      lock_timeout: undefined,
      idle_in_transaction_session_timeout: undefined,
      // pg reads PGREPLICATION.
      replication: undefined,
    });
  }

  /** Rejects when the server refuses the connection, or asks for what this process does not have. No socket is left open then. */
  override async connect(): Promise<void> {
    try {
      await super.connect();
    } catch (error) {
      this.connection.stream.destroy();
      throw isUnsupportedLogin(error) ? new UnsupportedLogin({ cause: error }) : error;
    }
  }

  /** pg would send an empty password, or fail with a message of the protocol. */
  override _getPassword(next: () => void): void {
    super._getPassword(() => {
      if (this.password) next();
      else this.connection.emit('error', new PasswordMissing());
    });
  }

  override getStartupConf(): Record<string, string> {
    const given = super.getStartupConf();
    const all = { ...given, ...startSettings };
    // The last one of several values for a setting counts.
    return this.#withoutOptions
      ? all
      : { ...all, options: [given['options'] ?? '', options].join(' ').trim() };
  }
}

/** How pg says that it does not know what the server asks for. */
const isUnsupportedLogin = (error: unknown) =>
  error instanceof Error &&
  /^(Unknown authenticationOk message type|SASL: Only mechanism)/.test(error.message);

/** Has a connection end with an error when it receives what is not PostgreSQL's protocol: pg would throw where nothing catches it,
 *  which ends the process. */
function endOnUnreadable(connection: Startup['connection']): void {
  const attach = connection.attachListeners.bind(connection);
  connection.attachListeners = (stream) => {
    const before = stream.listeners('data');
    attach(stream);
    for (const listener of stream.listeners('data')) {
      if (before.includes(listener)) continue;
      stream.off('data', listener as (chunk: Buffer) => void);
      stream.on('data', (chunk: Buffer) => {
        try {
          Reflect.apply(listener, stream, [chunk]);
        } catch (error) {
          stream.destroy(error instanceof Error ? error : new Error('unreadable answer', { cause: error }));
        }
      });
    }
  };
}
