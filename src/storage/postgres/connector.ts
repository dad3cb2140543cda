import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { errorCodeOf } from '../../resilience/error-code.ts';
import { readPasswordFile } from '../connections/password-file.ts';
import { parsePostgresUrl, type PostgresAddress } from '../connections/postgres-url.ts';
import type { SslMode } from '../connections/tls.ts';
import { isInvalidAuthorization, isInvalidPassword } from './errors.ts';

/** How long a refused login waits for a new password in its file. */
const newPasswordMs = 1_500;
const pollMs = 50;

/** Whether to encrypt: the only way of a mode, or the two that libpq tries in turn. */
const waysOf = (mode: SslMode): boolean[] => {
  if (mode === 'prefer') return [true, false];
  if (mode === 'allow') return [false, true];
  return [mode !== 'disable'];
};

/** Opens connections to the PostgreSQL of a URL as its `sslmode` says. The way that worked last is tried first. `open` makes and connects
 *  a client with the configuration it is given; certificates and a password file are read again for each connection. */
export function createPostgresConnector(url: string) {
  const ways = waysOf(parsePostgresUrl(url).tls.mode);

  return async function connect<Client>(open: (config: pg.ClientConfig) => Promise<Client>): Promise<Client> {
    const [first = true, second] = ways;
    try {
      return await logIn(url, first, open);
    } catch (error) {
      if (second === undefined || !mayWorkOtherwise(error)) throw error;
      const client = await logIn(url, second, open).catch((other: unknown) => {
        // A server without TLS says so first, and then what is really wrong.
        throw isWithoutTls(error) ? other : error;
      });
      ways.reverse();
      return client;
    }
  };
}

async function logIn<Client>(
  url: string,
  encrypts: boolean,
  open: (config: pg.ClientConfig) => Promise<Client>,
): Promise<Client> {
  const address = parsePostgresUrl(url);
  const file = address.passwordFile;
  if (file === undefined) return await open(configOf(address, address.password, encrypts));
  const password = readPasswordFile(file);
  try {
    return await open(configOf(address, password, encrypts));
  } catch (error) {
    const next = isInvalidPassword(error) ? await newPassword(file, password) : undefined;
    if (next === undefined) throw error;
    return await open(configOf(address, next, encrypts));
  }
}

/** Another password than the one that was refused, as soon as the file holds one; undefined where none comes in time. */
async function newPassword(file: string, refused: string | undefined): Promise<string | undefined> {
  const end = performance.now() + newPasswordMs;
  for (;;) {
    const password = readPasswordFile(file);
    if (password !== undefined && password !== refused) return password;
    if (performance.now() > end) return undefined;
    await delay(pollMs);
  }
}

function configOf(
  { host, port, user, database, options, tls, startsWithTls, bindsChannel }: PostgresAddress,
  password: string | undefined,
  encrypts: boolean,
): pg.ClientConfig {
  return {
    host,
    port,
    ...(user !== undefined && { user }),
    ...(password !== undefined && { password }),
    ...(database !== undefined && { database }),
    ...(options !== undefined && { options }),
    ssl: encrypts && tls.options,
    // Always set: pg would read PGSSLNEGOTIATION, which must not break a connection without TLS.
    sslnegotiation: startsWithTls && encrypts ? ('direct' as const) : ('postgres' as const),
    enableChannelBinding: encrypts && bindsChannel,
  };
}

const isWithoutTls = (error: unknown) =>
  error instanceof Error && error.message === 'The server does not support SSL connections';

/** Whether the server was there and refused this way: no TLS, a failed handshake, or no entry for it in pg_hba.conf (28000). */
function mayWorkOtherwise(error: unknown): boolean {
  return (
    isWithoutTls(error) ||
    isInvalidAuthorization(error) ||
    /^(EPROTO|ERR_SSL_\w+)$/.test(errorCodeOf(error)) ||
    (error instanceof Error && /establishing an SSL connection|before secure TLS/.test(error.message))
  );
}
