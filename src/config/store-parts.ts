import { passwordFileParam } from '../storage/connections/password-file.ts';
import { parsePostgresUrl } from '../storage/connections/postgres-url.ts';
import { parseRedisUrl } from '../storage/connections/redis-url.ts';
import { StoreUrlError } from '../storage/connections/store-url.ts';
import type { Given, Values } from './given.ts';
import { addLibpqTls } from './libpq-tls.ts';

/** The settings of one store: a URL, or parts that make one. */
interface Store {
  url: string;
  /** Parts that a URL holds itself. */
  parts: string[];
  /** Builds a URL of parts. */
  build: (values: Values) => string;
  /** Settings that are added to a URL as the parameter of that name. */
  params: Record<string, string>;
  /** Adds what environment variables apart from Linkmill's settings say. */
  addDefaults?: (url: string, env: NodeJS.ProcessEnv, sources: string[]) => string;
  check: (url: string) => unknown;
}

const encode = encodeURIComponent;
const portPattern = /^\d{1,5}$/;

function buildDatabase(values: Values): string {
  const { DATABASE_HOST = '', DATABASE_USER, DATABASE_NAME = '' } = values;
  const user = DATABASE_USER === undefined ? '' : `${encode(DATABASE_USER)}@`;
  const isSocket = DATABASE_HOST.startsWith('/');
  const host = isSocket ? encode(DATABASE_HOST) : bracketed(DATABASE_HOST);
  return `postgres://${user}${host}:${values['DATABASE_PORT'] ?? 5_432}/${encode(DATABASE_NAME)}`;
}

function buildRedis(values: Values): string {
  const { REDIS_HOST = '', REDIS_USER, REDIS_DB = '0' } = values;
  const user = REDIS_USER === undefined ? '' : `${encode(REDIS_USER)}@`;
  if (REDIS_HOST.startsWith('/')) return `unix://${user}${REDIS_HOST}?db=${encode(REDIS_DB)}`;
  const hasTls = /^(true|1|yes|on|y|enabled)$/i.test(values['REDIS_TLS'] ?? '') || 'REDIS_CA' in values;
  return `redis${hasTls ? 's' : ''}://${user}${bracketed(REDIS_HOST)}:${values['REDIS_PORT'] ?? 6_379}/${encode(REDIS_DB)}`;
}

/** A host as a URL has it: an IPv6 address needs brackets. */
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

/** Makes one URL of all settings of each store, and checks it; and removes the parts from `given`. What is wrong is added to its
 *  problems, by the name of the URL. */
export function joinStoreParts(given: Given, env: NodeJS.ProcessEnv): void {
  for (const store of stores) joinParts(store, given, env);
  const [database] = stores;
  // It shares login and certificates with the other one.
  joinParts({ ...database!, url: 'DATABASE_DIRECT_URL', parts: [] }, given, env);
  for (const { parts, params } of stores)
    for (const name of [...parts, ...Object.keys(params)]) delete given.values[name];
}

function joinParts(store: Store, given: Given, env: NodeJS.ProcessEnv): void {
  const { values, problems } = given;
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
    const joined = withParams(url, store, given, sources);
    values[store.url] = store.addDefaults?.(joined, env, sources) ?? joined;
    store.check(values[store.url]!);
  } catch (error) {
    if (!(error instanceof StoreUrlError)) throw error;
    problems.set(store.url, `${sources.join(' with ')} ${error.message}`);
  }
}

/** The URL with the other settings of its store; `sources` gets their names. */
function withParams(url: string, store: Store, { values, files }: Given, sources: string[]): string {
  const query = new URLSearchParams(url.includes('?') ? url.slice(url.indexOf('?')) : '');
  const added = new URLSearchParams();
  for (const [name, param] of Object.entries(store.params)) {
    if (values[name] === undefined) continue;
    const isThere = query.has(param) || (param === 'password' && /^[^/?#]*\/\/[^/?#]*:[^/?#]*@/.test(url));
    if (isThere && store.url === 'DATABASE_DIRECT_URL') continue;
    if (isThere) throw new StoreUrlError(`has what ${name} sets too: keep one`);
    if (param === 'password' && files[name] !== undefined) added.set(passwordFileParam, files[name]);
    else added.set(param, values[name]);
    sources.push(name);
  }
  return added.size === 0 ? url : `${url}${url.includes('?') ? '&' : '?'}${added.toString()}`;
}
