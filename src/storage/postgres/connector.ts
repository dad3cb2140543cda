import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { errorCodeOf } from '../../resilience/error-code.ts';
import { readPasswordFile } from '../connections/password-file.ts';
import { parsePostgresUrl, type PostgresAddress } from '../connections/postgres-url.ts';
import type { SslMode } from '../connections/tls.ts';
import { isInvalidAuthorization, isInvalidPassword } from './errors.ts';

/** How long a rejected login waits for a new password in the password file. */
const newPasswordMs = 1_500;
const pollMs = 50;

/** Whether to encrypt, by sslmode: one choice, or the two that libpq tries in turn. */
const encryptionsOf = (mode: SslMode): boolean[] => {
  if (mode === 'prefer') return [true, false];
  if (mode === 'allow') return [false, true];
  return [mode !== 'disable'];
};

/** Opens connections with the `sslmode` of a URL. The choice that worked last is tried first. `open` creates and connects a client with the
 *  given configuration. Certificates and the password file are read for each connection. */
export function createPostgresConnector(url: string) {
  const encryptions = encryptionsOf(parsePostgresUrl(url).tls.mode);

  return async function connect<Client>(open: (config: pg.ClientConfig) => Promise<Client>): Promise<Client> {
    const [first = true, second] = encryptions;
    try {
      return await logIn(url, first, open);
    } catch (error) {
      if (second === undefined || !isRejectedEncryption(error)) throw error;
      const client = await logIn(url, second, open).catch((other: unknown) => {
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
