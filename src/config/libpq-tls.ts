import { StoreUrlError } from '../storage/connections/store-url.ts';

/** Modes that check no certificate. */
const trusting = new Set(['allow', 'prefer']);

/** Variables of libpq that ask for a check which Linkmill does not make: without effect, a connection would be weaker than it looks. */
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
 * The URL of a PostgreSQL database with the TLS parameters of libpq's environment variables, where neither the URL nor a setting of Linkmill
 * gives them. A Unix socket has none, `disable` takes no certificate. `sources` gets the names of the variables that are used. Throws a
 * StoreUrlError for a variable that asks for a check which Linkmill does not make.
 */
export function addLibpqTls(url: string, env: NodeJS.ProcessEnv, sources: string[]): string {
  const query = new URLSearchParams(url.includes('?') ? url.slice(url.indexOf('?')) : '');
  if (isSocket(url, query)) return url;
  refuseUnsupported(env, sources);
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

function refuseUnsupported(env: NodeJS.ProcessEnv, sources: string[]): void {
  for (const [variable, isUnsupported] of Object.entries(unsupported)) {
    const value = env[variable]?.trim();
    if (!value || !isUnsupported(value)) continue;
    sources.push(variable);
    throw new StoreUrlError(
      `asks for a check of the connection that is not supported: unset ${variable}, and set sslmode=verify-full`,
    );
  }
}

const isSocket = (url: string, query: URLSearchParams) =>
  (query.get('host') ?? '').startsWith('/') || /^[^/]*\/\/([^/?#]*@)?%2f/i.test(url);
