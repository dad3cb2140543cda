import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { errorCodeOf } from '../../resilience/error-code.ts';
import { readPasswordFile } from '../connections/password-file.ts';
import { parsePostgresUrl, type PostgresAddress, type PostgresHost } from '../connections/postgres-url.ts';
import type { SslMode } from '../connections/tls.ts';
import { isInvalidAuthorization, isInvalidPassword, NoSuitableHost } from './errors.ts';

/** How long a rejected login waits for a new password in the password file. */
const newPasswordMs = 1_500;
const pollMs = 50;

/** Whether to encrypt, by sslmode: one choice, or the two that libpq tries in turn. */
const encryptionsOf = (mode: SslMode): boolean[] => {
  if (mode === 'prefer') return [true, false];
  if (mode === 'allow') return [false, true];
  return [mode !== 'disable'];
};

/** Time limit of a connection to one of several hosts. */
const hostMs = 2_000;

/** Opens a connection, which `open` creates with the given configuration. */
type Connect = <Client extends Connected>(
  open: (config: pg.ClientConfig) => Promise<Client>,
) => Promise<Client>;

/** What this needs of a client of pg. */
interface Connected {
  query: (sql: string) => Promise<unknown>;
  end: () => Promise<unknown>;
}

/** Opens connections with the `sslmode` of a URL. Certificates and the password file are read for each connection. Of several hosts it takes
 *  the first that accepts writes, or of a URL of standbys the first that does not, beginning with the one that did last; throws NoSuitableHost if
 *  none of those that answer does. */
export function createPostgresConnector(url: string): Connect {
  const { hosts, wantsStandby } = parsePostgresUrl(url);
  const connectors = hosts.map((_, i) => createHostConnector(url, i));
  const [only, ...others] = connectors;
  if (others.length === 0) return only!;
  let last = 0;

  return async function connect(open) {
    const first = last;
    let failure: unknown;
    for (const [i] of connectors.entries()) {
      const at = (first + i) % connectors.length;
      try {
        const client = await connectors[at]!(open);
        if (await isSuitable(client, wantsStandby)) {
          last = at;
          return client;
        }
        failure = new NoSuitableHost(wantsStandby);
      } catch (error) {
        if (!(failure instanceof NoSuitableHost)) failure = error;
      }
    }
    throw failure;
  };
}

/** Whether a connection accepts writes, or does not if `wantsStandby`; otherwise it is closed. */
async function isSuitable(client: Connected, wantsStandby: boolean): Promise<boolean> {
  let isSuitable = false;
  try {
    const { rows } = (await client.query('show transaction_read_only')) as {
      rows: { transaction_read_only: string }[];
    };
    isSuitable = (rows[0]!.transaction_read_only === 'on') === wantsStandby;
    return isSuitable;
  } finally {
    // The server closes it too, so a failure changes nothing.
    if (!isSuitable) void client.end().catch(() => undefined);
  }
}

/** Connects to one host of a URL. The encryption that worked last is tried first. */
function createHostConnector(url: string, index: number): Connect {
  const encryptions = encryptionsOf(parsePostgresUrl(url).tls.mode);

  return async function connect(open) {
    const [first = true, second] = encryptions;
    try {
      return await logIn(url, index, first, open);
    } catch (error) {
      if (second === undefined || !isRejectedEncryption(error)) throw error;
      const client = await logIn(url, index, second, open).catch((other: unknown) => {
        // A server without TLS reports that first; the second error is the cause.
        throw isTlsUnsupported(error) ? other : error;
      });
      encryptions.reverse();
      return client;
    }
  };
}

async function logIn<Client>(
  url: string,
  index: number,
  encrypts: boolean,
  open: (config: pg.ClientConfig) => Promise<Client>,
): Promise<Client> {
  const address = parsePostgresUrl(url);
  const host = address.hosts[index]!;
  const file = address.passwordFile;
  if (file === undefined) return await open(configOf(address, host, address.password, encrypts));
  const password = readPasswordFile(file);
  try {
    return await open(configOf(address, host, password, encrypts));
  } catch (error) {
    const next = isInvalidPassword(error) ? await newPassword(file, password) : undefined;
    if (next === undefined) throw error;
    return await open(configOf(address, host, next, encrypts));
  }
}

/** Waits until the password file has another password than the rejected one; undefined when it does not change in time. */
async function newPassword(file: string, rejected: string | undefined): Promise<string | undefined> {
  const end = performance.now() + newPasswordMs;
  for (;;) {
    const password = readPasswordFile(file);
    if (password !== undefined && password !== rejected) return password;
    if (performance.now() > end) return undefined;
    await delay(pollMs);
  }
}

function configOf(
  { hosts, user, database, options, tls, startsWithTls, bindsChannel }: PostgresAddress,
  { host, port }: PostgresHost,
  password: string | undefined,
  encrypts: boolean,
): pg.ClientConfig {
  return {
    host,
    port,
    ...(hosts.length > 1 && { connectionTimeoutMillis: hostMs }),
    ...(user !== undefined && { user }),
    ...(password !== undefined && { password }),
    ...(database !== undefined && { database }),
    ...(options !== undefined && { options }),
    ssl: encrypts && tls.options,
    // Always set, because pg reads PGSSLNEGOTIATION otherwise, which would break a connection without TLS.
    sslnegotiation: startsWithTls && encrypts ? ('direct' as const) : ('postgres' as const),
    enableChannelBinding: encrypts && bindsChannel,
  };
}

const isTlsUnsupported = (error: unknown) =>
  error instanceof Error && error.message === 'The server does not support SSL connections';

/** Whether the server answered and rejected this encryption: no TLS, a failed handshake, or no matching entry in pg_hba.conf. */
function isRejectedEncryption(error: unknown): boolean {
  return (
    isTlsUnsupported(error) ||
    isInvalidAuthorization(error) ||
    /^(EPROTO|ERR_SSL_\w+)$/.test(errorCodeOf(error)) ||
    (error instanceof Error && /establishing an SSL connection|before secure TLS/.test(error.message))
  );
}
