import type { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import pg from 'pg';
import { PasswordMissing, UnsupportedLogin } from './errors.ts';

/** Settings that decide how PostgreSQL reads and writes values. Sent at the start of each connection, they take precedence over those of the
 *  server, database, role, URL and `PGOPTIONS`. PgBouncer tracks these four per client. */
const startSettings = {
  DateStyle: 'ISO, MDY',
  TimeZone: 'UTC',
  client_encoding: 'UTF8',
  standard_conforming_strings: 'on',
} as const;

/** Settings that PgBouncer does not support: it rejects a connection that sets them. */
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
  // When row level security hides rows from the role, a statement fails instead of skipping the rows.
  row_security: 'off',
  statement_timeout: '0',
  transform_null_equals: 'off',
} as const;

/** The session settings that Linkmill needs, with their values as `current_setting` returns them. */
export const neededSettings: Readonly<Record<string, string>> = {
  ...startSettings,
  ...optionSettings,
  session_replication_role: 'origin',
  // Since PostgreSQL 17; older servers reject a connection that sets it.
  transaction_timeout: '0',
};

const options = Object.entries(optionSettings)
  .map(([name, value]) => `-c ${name}=${value.replaceAll(' ', '\\ ')}`)
  .join(' ');

export interface SessionConfig extends pg.ClientConfig {
  /** Sets nothing that PgBouncer rejects. */
  withoutOptions?: boolean;
}

/** Members of pg's client that its types omit. */
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

/** A connection with Linkmill's session settings. The application name is fixed too, although pg would let the URL change it: triggers
 *  recognize external writes by it. */
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
      // Otherwise pg reads PGREPLICATION.
      replication: undefined,
    });
  }

  /** Rejects when the server rejects the connection or requires an unsupported authentication method, and closes the socket. */
  override async connect(): Promise<void> {
    try {
      await super.connect();
    } catch (error) {
      this.connection.stream.destroy();
      throw isUnsupportedLogin(error) ? new UnsupportedLogin({ cause: error }) : error;
    }
  }

  /** Without a password, pg would send an empty one or fail with a protocol error. */
  override _getPassword(next: () => void): void {
    super._getPassword(() => {
      if (this.password) next();
      else this.connection.emit('error', new PasswordMissing());
    });
  }

  override getStartupConf(): Record<string, string> {
    const given = super.getStartupConf();
    const all = { ...given, ...startSettings };
    // The last value of a setting takes effect.
    return this.#withoutOptions
      ? all
      : { ...all, options: [given['options'] ?? '', options].join(' ').trim() };
  }
}

/** The errors of pg for an unknown authentication method. */
const isUnsupportedLogin = (error: unknown) =>
  error instanceof Error &&
  /^(Unknown authenticationOk message type|SASL: Only mechanism)/.test(error.message);

/** Ends a connection with an error when it receives data outside the protocol of PostgreSQL; pg would throw an uncaught exception. */
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
          stream.destroy(
            error instanceof Error ? error : new Error('invalid protocol message', { cause: error }),
          );
        }
      });
    }
  };
}
