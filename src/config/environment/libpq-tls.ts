import { StoreUrlError } from '../../storage/connections/store-url.ts';

/** Modes that check no certificate. */
const trusting = new Set(['allow', 'prefer']);

/** Variables of libpq that require a check that Linkmill does not support: ignoring one would weaken the connection. */
const unsupported: Record<string, (value: string) => boolean> = {
  PGCHANNELBINDING: (value) => value === 'require',
  PGGSSENCMODE: (value) => value === 'require',
  PGREQUIREAUTH: () => true,
  PGREQUIRESSL: (value) => value === '1',
  PGSSLCRL: () => true,
  PGSSLCRLDIR: () => true,
  PGSSLMINPROTOCOLVERSION: (value) => !/^TLSv1(\.[0-2])?$/i.test(value),
};

/**
 * Adds the TLS parameters of libpq's environment variables to the URL of a PostgreSQL database, unless the URL or a setting of Linkmill has
 * them. A Unix socket gets none, `disable` no certificate. `sources` receives the names of the used variables. Throws a StoreUrlError for a
 * variable that requires an unsupported check.
 */
export function addLibpqTls(url: string, env: NodeJS.ProcessEnv, sources: string[]): string {
  const query = new URLSearchParams(url.includes('?') ? url.slice(url.indexOf('?')) : '');
  if (isSocket(url, query)) return url;
  rejectUnsupported(env, sources);
  const added = new URLSearchParams();
  const add = (param: string, variable: string) => {
    const value = env[variable]?.trim();
    if (!value || query.has(param)) return;
    added.set(param, value);
    sources.push(variable);
  };
  if (!query.has('sslrootcert')) add('sslmode', 'PGSSLMODE');
  const mode = query.get('sslmode') ?? added.get('sslmode');
  if (mode !== 'disable') {
    add('sslcert', 'PGSSLCERT');
    add('sslkey', 'PGSSLKEY');
    if (mode === null || !trusting.has(mode)) add('sslrootcert', 'PGSSLROOTCERT');
  }
  return added.size === 0 ? url : `${url}${url.includes('?') ? '&' : '?'}${added.toString()}`;
}

function rejectUnsupported(env: NodeJS.ProcessEnv, sources: string[]): void {
  for (const [variable, isUnsupported] of Object.entries(unsupported)) {
    const value = env[variable]?.trim();
    if (!value || !isUnsupported(value)) continue;
    sources.push(variable);
    throw new StoreUrlError(
      `requires a check of the connection that is not supported: unset ${variable}, and set sslmode=verify-full`,
    );
  }
}

const isSocket = (url: string, query: URLSearchParams) =>
  (query.get('host') ?? '').startsWith('/') || /^[^/]*\/\/([^/?#]*@)?%2f/i.test(url);
