import { passwordFileParam } from '../../storage/connections/password-file.ts';
import { asStandbyUrl, parsePostgresUrl } from '../../storage/connections/postgres-url.ts';
import { parseRedisUrl } from '../../storage/connections/redis-url.ts';
import { StoreUrlError } from '../../storage/connections/store-url.ts';
import { addLibpqTls } from './libpq-tls.ts';
import type { RawSettings, Values } from './raw-settings.ts';

/** The settings of one store: a URL or its parts. */
interface Store {
  url: string;
  /** Settings that replace a URL. */
  parts: string[];
  /** Builds a URL from the parts. */
  build: (values: Values) => string;
  /** Settings that are added to the URL, with the name of their parameter. */
  params: Record<string, string>;
  /** Adds parameters from other environment variables. */
  addDefaults?: (url: string, env: NodeJS.ProcessEnv, sources: string[]) => string;
  check: (url: string) => unknown;
}

const encode = encodeURIComponent;
const portPattern = /^\d{1,5}$/;

function buildDatabase(values: Values): string {
  const { DATABASE_HOST = '', DATABASE_USER, DATABASE_NAME = '' } = values;
  const user = DATABASE_USER === undefined ? '' : `${encode(DATABASE_USER)}@`;
  const port = values['DATABASE_PORT'] ?? '5432';
  const hosts = DATABASE_HOST.split(',').map((host) => {
    const isSocket = host.startsWith('/');
    return `${isSocket ? encode(host) : bracketed(host.trim())}:${port}`;
  });
  return `postgres://${user}${hosts.join(',')}/${encode(DATABASE_NAME)}`;
}

function buildRedis(values: Values): string {
  const { REDIS_HOST = '', REDIS_USER, REDIS_DB = '0' } = values;
  const user = REDIS_USER === undefined ? '' : `${encode(REDIS_USER)}@`;
  if (REDIS_HOST.startsWith('/')) return `unix://${user}${REDIS_HOST}?db=${encode(REDIS_DB)}`;
  const hasTls = /^(true|1|yes|on|y|enabled)$/i.test(values['REDIS_TLS'] ?? '') || 'REDIS_CA' in values;
  return `redis${hasTls ? 's' : ''}://${user}${bracketed(REDIS_HOST)}:${values['REDIS_PORT'] ?? 6_379}/${encode(REDIS_DB)}`;
}

/** The host of a URL: an IPv6 address in brackets. */
const bracketed = (host: string) => (host.includes(':') && !host.startsWith('[') ? `[${host}]` : host);

const stores: Store[] = [
  {
    url: 'DATABASE_URL',
    parts: ['DATABASE_HOST', 'DATABASE_PORT', 'DATABASE_NAME', 'DATABASE_USER'],
    build: buildDatabase,
    params: {
      DATABASE_PASSWORD: 'password',
      DATABASE_SSLMODE: 'sslmode',
      DATABASE_CA: 'sslrootcert',
      DATABASE_CERT: 'sslcert',
      DATABASE_KEY: 'sslkey',
    },
    addDefaults: addLibpqTls,
    check: parsePostgresUrl,
  },
  {
    url: 'REDIS_URL',
    parts: ['REDIS_HOST', 'REDIS_PORT', 'REDIS_DB', 'REDIS_USER', 'REDIS_TLS'],
    build: buildRedis,
    params: {
      REDIS_PASSWORD: 'password',
      REDIS_CA: 'sslrootcert',
      REDIS_CERT: 'sslcert',
      REDIS_KEY: 'sslkey',
    },
    check: parseRedisUrl,
  },
];

/** Joins the settings of each store to one URL, validates it, and removes the parts from `raw`. Problems are added under the name of the
 *  URL. */
export function joinStoreParts(raw: RawSettings, env: NodeJS.ProcessEnv): void {
  for (const store of stores) joinParts(store, raw, env);
  const [database, redis] = stores;
  // It shares the login and the certificates with DATABASE_URL.
  joinParts({ ...database!, url: 'DATABASE_DIRECT_URL', parts: [] }, raw, env);
  joinParts({ ...database!, url: 'DATABASE_REPLICA_URL', parts: [], addDefaults: addStandby }, raw, env);
  // It shares the certificates with REDIS_URL, and may have another login.
  const { REDIS_PASSWORD: _, ...certificates } = redis!.params;
  const hasTls = raw.values['REDIS_CACHE_URL']?.startsWith('rediss') === true;
  joinParts({ ...redis!, url: 'REDIS_CACHE_URL', parts: [], params: hasTls ? certificates : {} }, raw, env);
  for (const { parts, params } of stores)
    for (const name of [...parts, ...Object.keys(params)]) delete raw.values[name];
}

const addStandby: Store['addDefaults'] = (url, env, sources) => asStandbyUrl(addLibpqTls(url, env, sources));

function joinParts(store: Store, raw: RawSettings, env: NodeJS.ProcessEnv): void {
  const { values, problems } = raw;
  const parts = store.parts.filter((name) => name in values);
  const [first] = parts;
  const sources = [store.url];
  try {
    if (first !== undefined) {
      if (store.url in values) throw new StoreUrlError(`and ${first} are both set: keep one`);
      const [host, port] = store.parts as [string, string];
      if (!(host in values))
        throw new StoreUrlError(`is not set, and neither is ${host}, which ${first} needs`);
      if (values[port] !== undefined && !portPattern.test(values[port])) {
        problems.set(port, `${port} must be a whole number from 1 to 65535`);
        return void problems.set(store.url, '');
      }
      sources.splice(0, 1, ...parts);
      values[store.url] = store.build(values);
    }
    const url = values[store.url];
    if (url === undefined) return;
    const joined = withParams(url, store, raw, sources);
    values[store.url] = store.addDefaults?.(joined, env, sources) ?? joined;
    store.check(values[store.url]!);
  } catch (error) {
    if (!(error instanceof StoreUrlError)) throw error;
    problems.set(store.url, `${sources.join(' with ')} ${error.message}`);
  }
}

/** Adds the other settings of the store to the URL; `sources` receives their names. */
function withParams(url: string, store: Store, { values, files }: RawSettings, sources: string[]): string {
  const query = new URLSearchParams(url.includes('?') ? url.slice(url.indexOf('?')) : '');
  const added = new URLSearchParams();
  for (const [name, param] of Object.entries(store.params)) {
    if (values[name] === undefined) continue;
    const isThere = query.has(param) || (param === 'password' && /^[^/?#]*\/\/[^/?#]*:[^/?#]*@/.test(url));
    if (isThere && store.parts.length === 0) continue;
    if (isThere) throw new StoreUrlError(`already contains the value of ${name}: keep one`);
    if (param === 'password' && files[name] !== undefined) added.set(passwordFileParam, files[name]);
    else added.set(param, values[name]);
    sources.push(name);
  }
  return added.size === 0 ? url : `${url}${url.includes('?') ? '&' : '?'}${added.toString()}`;
}
