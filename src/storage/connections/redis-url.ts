import type { RedisOptions } from 'ioredis';
import { passwordFileParam, readPasswordFile } from './password-file.ts';
import { readStoreUrl, rejectUnknownParams, type StoreUrl, StoreUrlError } from './store-url.ts';
import { readTls, tlsParams } from './tls.ts';

const example = 'redis://user:password@host:6379/0, rediss:// with TLS, or unix:///run/redis.sock';
const socketSchemes = ['unix', 'redis+unix'];

export interface RedisAddress extends RedisOptions {
  /** Path of the password file, which is read for each new connection. */
  passwordFile?: string;
}

/** Parses the URL of a Redis database into options of ioredis. Throws a StoreUrlError. */
export function parseRedisUrl(text: string): RedisAddress {
  const url = readStoreUrl(text, ['redis', 'rediss', ...socketSchemes], example);
  const isSocket = socketSchemes.includes(url.scheme);
  const address: RedisAddress = {
    ...(isSocket ? socketOf(url) : serverOf(url)),
    db: databaseOf(url, isSocket),
  };
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

function socketOf({ host, path, params }: StoreUrl): RedisAddress {
  rejectUnknownParams(params, ['db', 'password', passwordFileParam]);
  if (host !== '' || path.length < 2)
    throw new StoreUrlError('must name the Unix socket after three slashes: unix:///run/redis.sock');
  return { path };
}

function serverOf({ scheme, host, port, params }: StoreUrl): RedisAddress {
  const hasTls = scheme === 'rediss';
  if (host === '') throw new StoreUrlError('has no host; for a Unix socket use unix:///run/redis.sock');
  if (!hasTls && tlsParams.some((name) => params.has(name)))
    throw new StoreUrlError('has TLS parameters, which need rediss://');
  rejectUnknownParams(params, ['db', 'family', ...(hasTls ? tlsParams : []), 'password', passwordFileParam]);
  const address: RedisAddress = { host, port: port ?? 6_379, family: familyOf(params.get('family')) };
  if (!hasTls) return address;
  const { mode, options } = readTls(params, 'verify-full');
  if (['disable', 'allow', 'prefer'].includes(mode))
    throw new StoreUrlError(`has sslmode=${mode}, but rediss:// always encrypts: use require or stronger`);
  return { ...address, tls: options };
}

function familyOf(text = '0'): number {
  if (!['0', '4', '6'].includes(text)) throw new StoreUrlError('has an invalid family: use 0, 4 or 6');
  return Number(text);
}

function databaseOf({ path, params }: StoreUrl, isSocket: boolean): number {
  const inPath = isSocket ? '' : path.slice(1);
  const inParams = params.get('db');
  if (inPath !== '' && inParams !== undefined) throw new StoreUrlError('has two database numbers');
  const text = inPath || (inParams ?? '0');
  if (!/^\d{1,6}$/.test(text))
    throw new StoreUrlError('must name the database by its number, as in redis://host:6379/0');
  return Number(text);
}
