import type { ConnectionOptions } from 'node:tls';
import { readRegularFile, UnreadableFile } from './regular-file.ts';
import { StoreUrlError } from './store-url.ts';

/** The modes of libpq, from the weakest to the strongest. */
export const sslModes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;
export type SslMode = (typeof sslModes)[number];

/** The TLS parameters of a store's URL. */
export const tlsParams = ['sslmode', 'sslrootcert', 'sslcert', 'sslkey'];

/** Encryption and certificate checks of a connection to a store. */
export interface Tls {
  mode: SslMode;
  options: ConnectionOptions;
}

/**
 * Reads the TLS parameters of a URL as libpq does: `require` encrypts without a check unless `sslrootcert` is set, `verify-ca` checks the
 * signer of the certificate, `verify-full` also the host name. Certificates and key are paths or PEM texts; `sslrootcert=system` is the
 * list of Node.js. With `sslrootcert` and without `sslmode` the mode is `verify-full`.
 */
export function readTls(params: Map<string, string>, fallback: SslMode): Tls {
  const [root, certFile, keyFile] = ['sslrootcert', 'sslcert', 'sslkey'].map((name) => params.get(name));
  const mode = (params.get('sslmode') ?? (root ? 'verify-full' : fallback)) as SslMode;
  if (!sslModes.includes(mode))
    throw new StoreUrlError(`has an invalid sslmode: use one of ${sslModes.join(', ')}`);
  if (root && ['disable', 'allow', 'prefer'].includes(mode))
    throw new StoreUrlError(`has a CA certificate that sslmode=${mode} does not use: set verify-full`);
  if (root === 'system' && mode !== 'verify-full')
    throw new StoreUrlError('has sslrootcert=system, which needs sslmode=verify-full');
  if ((certFile === undefined) !== (keyFile === undefined))
    throw new StoreUrlError('has a client certificate without its key, or a key without its certificate');
  if (certFile && mode === 'disable')
    throw new StoreUrlError('has a client certificate that sslmode=disable does not use');
  if (mode === 'verify-ca' && !root)
    throw new StoreUrlError('has sslmode=verify-ca without a CA certificate: add one, or set verify-full');
  const checksSigner = mode.startsWith('verify') || (mode === 'require' && root !== undefined);
  const options: ConnectionOptions = { rejectUnauthorized: checksSigner };
  if (root && root !== 'system') options.ca = readPem(root, 'CA certificate', 'CERTIFICATE');
  if (certFile) options.cert = readPem(certFile, 'client certificate', 'CERTIFICATE');
  if (keyFile) options.key = readPem(keyFile, 'client key', 'PRIVATE KEY');
  if (checksSigner && mode !== 'verify-full') options.checkServerIdentity = () => undefined;
  return { mode, options };
}

/** The PEM text of a parameter, which is the text itself or the path of its file. */
function readPem(value: string, what: string, label: string): string {
  // Some hosting panels store the text in one line.
  const text = value.includes('-----BEGIN') ? value.replaceAll('\\n', '\n') : readText(value, what);
  if (!new RegExp(`-----BEGIN [A-Z ]*${label}-----`).test(text))
    throw new StoreUrlError(`has a ${what} without "-----BEGIN ${label}-----"`);
  return text;
}

function readText(file: string, what: string): string {
  try {
    return readRegularFile(file);
  } catch (error) {
    if (!(error instanceof UnreadableFile)) throw error;
    throw new StoreUrlError(`has a ${what} that ${error.message}`);
  }
}
