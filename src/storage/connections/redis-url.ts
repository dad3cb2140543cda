import type { ConnectionOptions } from 'node:tls';
import type { RedisOptions } from 'ioredis';
import { passwordFileParam, readPasswordFile } from './password-file.ts';
import { readStoreUrl, rejectUnknownParams, type StoreUrl, StoreUrlError } from './store-url.ts';
import { readTls, tlsParams } from './tls.ts';

const example =
  'redis://user:password@host:6379/0, rediss:// with TLS, unix:///run/redis.sock, redis+sentinel://host1,host2,host3/name, or redis+cluster://host1,host2,host3';
const socketSchemes = ['unix', 'redis+unix'];
const sentinelSchemes = ['redis+sentinel', 'rediss+sentinel'];
const sentinelPort = 26_379;
const clusterSchemes = ['redis+cluster', 'rediss+cluster'];
const defaultPort = 6_379;

export interface RedisAddress extends RedisOptions {
  /** Path of the password file, which is read for each new connection. */
  passwordFile?: string;
  /** Some nodes of a Redis Cluster, which name all others. */
  clusterNodes?: { host: string; port: number }[];
}

/** Parses the URL of a Redis database into options of ioredis. Throws a StoreUrlError. */
export function parseRedisUrl(text: string): RedisAddress {
  const url = readStoreUrl(text, {
    schemes: ['redis', 'rediss', ...socketSchemes, ...sentinelSchemes, ...clusterSchemes],
    listSchemes: [...sentinelSchemes, ...clusterSchemes],
    example,
  });
  const address = addressOf(url);
  const { user, password, params } = url;
  const passwordFile = params.get(passwordFileParam);
  if (user !== undefined) address.username = user;
  const given = password ?? params.get('password');
  if (given !== undefined) address.password = given;
  if (passwordFile !== undefined) {
    const read = readPasswordFile(passwordFile);
    if (read !== undefined) address.password = read;
    address.passwordFile = passwordFile;
  }
  return address;
}

function addressOf(url: StoreUrl): RedisAddress {
  if (socketSchemes.includes(url.scheme)) return { ...socketOf(url), db: databaseOf('', url.params) };
  if (sentinelSchemes.includes(url.scheme)) return sentinelsOf(url);
  if (clusterSchemes.includes(url.scheme)) return clusterOf(url);
  return { ...serverOf(url), db: databaseOf(url.path.slice(1), url.params) };
}

function socketOf({ host, path, params }: StoreUrl): RedisAddress {
  rejectUnknownParams(params, ['db', 'password', passwordFileParam]);
  if (host !== '' || path.length < 2)
    throw new StoreUrlError('must name the Unix socket after three slashes: unix:///run/redis.sock');
  return { path };
}

const serverParams = ['db', 'family', 'password', passwordFileParam];

function serverOf({ scheme, host, port, params }: StoreUrl): RedisAddress {
  if (host === '') throw new StoreUrlError('has no host; for a Unix socket use unix:///run/redis.sock');
  const tls = tlsOf(params, scheme === 'rediss', serverParams);
  return { host, port: port ?? defaultPort, family: familyOf(params.get('family')), ...(tls && { tls }) };
}

/** `redis+sentinel://[user:password@]sentinel1:26379,sentinel2:26379/name[/database]`: the sentinels, and the name that they give the primary.
 *  User and password are those of Redis; the sentinels have their own. */
function sentinelsOf({ scheme, hosts, path, params }: StoreUrl): RedisAddress {
  const [, name = '', database = '', ...rest] = path.split('/');
  if (hosts.some(({ host }) => host === '')) throw new StoreUrlError('has no host of a sentinel');
  if (name === '' || rest.length > 0)
    throw new StoreUrlError('must name the primary, as in redis+sentinel://host1:26379,host2:26379/name/0');
  const tls = tlsOf(params, scheme.startsWith('rediss'), [
    ...serverParams,
    'sentinel_user',
    'sentinel_password',
  ]);
  const [user, password] = [params.get('sentinel_user'), params.get('sentinel_password')];
  return {
    sentinels: hosts.map(({ host, port = sentinelPort }) => ({ host, port })),
    name,
    db: databaseOf(database, params),
    family: familyOf(params.get('family')),
    ...(user !== undefined && { sentinelUsername: user }),
    ...(password !== undefined && { sentinelPassword: password }),
    ...(tls && { tls, sentinelTLS: tls, enableTLSForSentinelMode: true }),
  };
}

/** `redis+cluster://[user:password@]host1:6379,host2:6379`: nodes of a Redis Cluster, which has no numbered databases. */
function clusterOf({ scheme, hosts, path, params }: StoreUrl): RedisAddress {
  if (hosts.some(({ host }) => host === '')) throw new StoreUrlError('has no host of a cluster node');
  if (!['', '/', '/0'].includes(path))
    throw new StoreUrlError('names a database, but Redis Cluster has only 0');
  const tls = tlsOf(params, scheme.startsWith('rediss'), ['family', 'password', passwordFileParam]);
  return {
    clusterNodes: hosts.map(({ host, port = defaultPort }) => ({ host, port })),
    family: familyOf(params.get('family')),
    ...(tls && { tls }),
  };
}

/** The TLS options; undefined without TLS. Rejects parameters without effect. */
function tlsOf(params: Map<string, string>, hasTls: boolean, known: string[]): ConnectionOptions | undefined {
  if (!hasTls && tlsParams.some((name) => params.has(name)))
    throw new StoreUrlError('has TLS parameters, which need rediss://');
  rejectUnknownParams(params, [...known, ...(hasTls ? tlsParams : [])]);
  if (!hasTls) return undefined;
  const { mode, options } = readTls(params, 'verify-full');
  if (['disable', 'allow', 'prefer'].includes(mode))
    throw new StoreUrlError(`has sslmode=${mode}, but rediss:// always encrypts: use require or stronger`);
  return options;
}

function familyOf(text = '0'): number {
  if (!['0', '4', '6'].includes(text)) throw new StoreUrlError('has an invalid family: use 0, 4 or 6');
  return Number(text);
}

function databaseOf(inPath: string, params: Map<string, string>): number {
  const inParams = params.get('db');
  if (inPath !== '' && inParams !== undefined) throw new StoreUrlError('has two database numbers');
  const text = inPath || (inParams ?? '0');
  if (!/^\d{1,6}$/.test(text))
    throw new StoreUrlError('must name the database by its number, as in redis://host:6379/0');
  return Number(text);
}
