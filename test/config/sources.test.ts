import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { ConfigError, loadConfig } from '../../src/config/load.ts';
import { misspelt } from '../../src/config/misspelt.ts';
import { webSettings } from '../../src/config/web.ts';
import { parsePostgresUrl } from '../../src/storage/connections/postgres-url.ts';
import { parseRedisUrl } from '../../src/storage/connections/redis-url.ts';

const needed = {
  DATABASE_URL: 'postgres://linkmill@db:5432/linkmill',
  REDIS_URL: 'redis://redis:6379',
  BASE_URL: 'https://sho.rt',
};
const folder = mkdtempSync(path.join(tmpdir(), 'linkmill-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

const fifo = path.join(folder, 'fifo');
execFileSync('mkfifo', [fifo]);

const load = (env: Record<string, string | undefined>) => loadConfig(webSettings, { ...needed, ...env });
const ca = fileURLToPath(new URL('../support/services/tls/ca.crt', import.meta.url));

/** Creates a file with this content. */
function fileOf(content: string): string {
  const file = path.join(folder, String(Math.random()));
  writeFileSync(file, content);
  return file;
}

function problemsOf(env: Record<string, string | undefined>): string[] {
  try {
    load(env);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems;
  }
}

test('a setting is read from the file of NAME_FILE without its trailing line break', () => {
  const config = load({
    METRICS_TOKEN_FILE: fileOf('secret-token\n'),
    BULL_BOARD_PASSWORD_FILE: fileOf('\uFEFFsecret-password\r\n'),
    PORT_FILE: fileOf('8080\n'),
    DATABASE_URL: undefined,
    DATABASE_URL_FILE: fileOf('postgres://user:pw@db/links\n'),
  });
  expect(config).toMatchObject({
    METRICS_TOKEN: 'secret-token',
    BULL_BOARD_PASSWORD: 'secret-password',
    PORT: 8_080,
    DATABASE_URL: 'postgres://user:pw@db/links',
  });
});

test.each([
  [
    { METRICS_TOKEN: 'a-secret-token', METRICS_TOKEN_FILE: '/x' },
    /^METRICS_TOKEN and METRICS_TOKEN_FILE are both set/,
  ],
  [
    { METRICS_TOKEN_FILE: '/nowhere/token' },
    /^METRICS_TOKEN_FILE names a file that cannot be read \(ENOENT\)$/,
  ],
  [{ METRICS_TOKEN_FILE: tmpdir() }, /^METRICS_TOKEN_FILE names a file that is not a regular file$/],
  [{ METRICS_TOKEN_FILE: fifo }, /^METRICS_TOKEN_FILE names a file that is not a regular file$/],
  [{ DATABASE_PASSWORD_FILE: fifo }, /^DATABASE_PASSWORD_FILE names a file that is not a regular file$/],
  [{ METRICS_TOKEN_FILE: '/dev/zero' }, /^METRICS_TOKEN_FILE names a file that is not a regular file$/],
  [{ METRICS_TOKEN_FILE: fileOf('x'.repeat(1_000_001)) }, /^METRICS_TOKEN_FILE names a file that is larger/],
  [{ DATABASE_CA: fifo }, /^DATABASE_URL with DATABASE_CA has a CA certificate that is not a regular file$/],
  [{ METRICS_TOKEN_FILE: fileOf('\n') }, /^METRICS_TOKEN_FILE names an empty file$/],
  [{ METRICS_TOKEN_FILE: fileOf('"a-secret-token"\n') }, /^METRICS_TOKEN_FILE is wrapped in quotes/],
  [{ METRICS_TOKEN: 'a-secret\ntoken' }, /^METRICS_TOKEN has a line break in it$/],
  [{ METRICS_TOKEN: "'a-secret-token'" }, /^METRICS_TOKEN is wrapped in quotes: remove them$/],
  [{ PORT: '"3000"' }, /^PORT is wrapped in quotes/],
  [{ REDIS_URL: '"redis://redis"' }, /^REDIS_URL is wrapped in quotes/],
  [{ DATABASE_HOST: 'db' }, /^DATABASE_URL and DATABASE_HOST are both set: keep one$/],
  [{ REDIS_DB: '1' }, /^REDIS_URL and REDIS_DB are both set: keep one$/],
  [{ DATABASE_URL: undefined, DATABASE_NAME: 'x' }, /^DATABASE_URL is not set, and neither is DATABASE_HOST/],
  [
    { DATABASE_URL: undefined, DATABASE_HOST: 'db', DATABASE_PORT: 'x' },
    /^DATABASE_PORT must be a whole number/,
  ],
  [
    { DATABASE_URL: 'postgres://u:p@db/l', DATABASE_PASSWORD: 'a-secret' },
    /already contains the value of DATABASE_PASSWORD/,
  ],
  [
    { DATABASE_URL: 'postgres://db/l?sslmode=require', DATABASE_SSLMODE: 'disable' },
    /already contains the value of DATABASE_SSLMODE/,
  ],
  [
    { DATABASE_CA: '/nowhere.crt' },
    /^DATABASE_URL with DATABASE_CA has a CA certificate that cannot be read/,
  ],
  [
    { DATABASE_CA: fileOf('a-secret') },
    /^DATABASE_URL with DATABASE_CA has a CA certificate without "-----BEGIN/,
  ],
  [{ REDIS_CA: ca }, /^REDIS_URL with REDIS_CA has TLS parameters, which need rediss:/],
  [{ REDIS_CACHE_URL: 'redis//:a-secret@cache' }, /^REDIS_CACHE_URL /],
  [{ REDIS_CACHE_URL: 'redis://cache?timeout=1' }, /^REDIS_CACHE_URL .*timeout/],
  [
    { DATABASE_REPLICA_URL: 'postgres://standby/l?target_session_attrs=primary' },
    /^DATABASE_REPLICA_URL has a target_session_attrs that chooses a primary/,
  ],
  [{ DATABASE_REPLICA_URL: 'mysql://u:a-secret@standby/l' }, /^DATABASE_REPLICA_URL /],
  [{ DATABASE_DIRECT_URL: 'postgres://u:a-secret#@db/l' }, /^DATABASE_DIRECT_URL .*percent-encode/],
])('%o is rejected with the name of the setting and without its value', (env, problem) => {
  const problems = problemsOf(env);
  expect(problems).toEqual([expect.stringMatching(problem)]);
  expect(problems.join()).not.toContain('a-secret');
});

test('a trailing line break is removed, and a blank setting counts as unset', () => {
  expect(load({ BASE_URL: 'https://sho.rt\n', PORT: ' ', LOG_LEVEL: 'warn\r\n' })).toMatchObject({
    BASE_URL: 'https://sho.rt',
    PORT: 3_000,
    LOG_LEVEL: 'warn',
  });
});

test('DATABASE_HOST can list a primary and its standbys', () => {
  const { DATABASE_URL } = load({
    DATABASE_URL: undefined,
    DATABASE_HOST: 'db1, ::1',
    DATABASE_PORT: '5433',
    DATABASE_NAME: 'links',
  });
  expect(parsePostgresUrl(DATABASE_URL).hosts).toEqual([
    { host: 'db1', port: 5_433 },
    { host: '::1', port: 5_433 },
  ]);
});

test('the parts of a store are joined to a URL with any characters', () => {
  const { DATABASE_URL, DATABASE_DIRECT_URL, REDIS_URL } = load({
    DATABASE_URL: undefined,
    DATABASE_DIRECT_URL: 'postgres://me@direct/links',
    DATABASE_HOST: '::1',
    DATABASE_USER: 'a:b@c',
    DATABASE_PASSWORD: 'p@/:#?%&+ w',
    DATABASE_NAME: 'li/nks',
    DATABASE_CA: ca,
    REDIS_URL: undefined,
    REDIS_HOST: 'cache',
    REDIS_PASSWORD: 'p@/:#?%&+ w',
    REDIS_DB: '3',
    REDIS_CA: ca,
  });
  expect(parsePostgresUrl(DATABASE_URL)).toMatchObject({
    hosts: [{ host: '::1', port: 5_432 }],
    user: 'a:b@c',
    password: 'p@/:#?%&+ w',
    database: 'li/nks',
    tls: { mode: 'verify-full', options: { ca: expect.stringContaining('BEGIN CERTIFICATE') as string } },
  });
  expect(parsePostgresUrl(DATABASE_DIRECT_URL!)).toMatchObject({
    hosts: [{ host: 'direct' }],
    password: 'p@/:#?%&+ w',
    tls: { mode: 'verify-full' },
  });
  expect(parseRedisUrl(REDIS_URL)).toMatchObject({
    host: 'cache',
    password: 'p@/:#?%&+ w',
    db: 3,
    tls: { ca: expect.stringContaining('BEGIN CERTIFICATE') as string },
  });
});

test('standbys have the password and certificates of DATABASE_URL, and are no primary', () => {
  const { DATABASE_REPLICA_URL } = load({
    DATABASE_PASSWORD: 'of-both',
    DATABASE_CA: ca,
    DATABASE_REPLICA_URL: 'postgres://u@standby1,standby2/l?target_session_attrs=standby',
  });
  expect(parsePostgresUrl(DATABASE_REPLICA_URL!)).toMatchObject({
    hosts: [{ host: 'standby1' }, { host: 'standby2' }],
    password: 'of-both',
    wantsStandby: true,
    tls: { mode: 'verify-full' },
  });
  expect(load({}).DATABASE_REPLICA_URL).toBeUndefined();
});

test('the Redis of the cache has the certificates of REDIS_URL, and its own login', () => {
  const common = { REDIS_URL: 'rediss://main', REDIS_PASSWORD: 'of-main', REDIS_CA: ca };
  const readCache = (url: string) => {
    const { host, password, tls } = parseRedisUrl(load({ ...common, REDIS_CACHE_URL: url }).REDIS_CACHE_URL!);
    return { host, password, hasCa: tls !== undefined && 'ca' in tls };
  };
  expect(readCache('rediss://:own@cache')).toEqual({ host: 'cache', password: 'own', hasCa: true });
  expect(readCache('redis://cache')).toEqual({ host: 'cache', password: undefined, hasCa: false });
  expect(load(common).REDIS_CACHE_URL).toBeUndefined();
});

test('the parts may be the paths of Unix sockets', () => {
  const { DATABASE_URL, REDIS_URL } = load({
    DATABASE_URL: undefined,
    DATABASE_HOST: '/var/run/postgresql',
    DATABASE_NAME: 'links',
    REDIS_URL: undefined,
    REDIS_HOST: '/run/redis.sock',
    REDIS_DB: '2',
  });
  expect(parsePostgresUrl(DATABASE_URL)).toMatchObject({
    hosts: [{ host: '/var/run/postgresql' }],
    database: 'links',
  });
  expect(parseRedisUrl(REDIS_URL)).toMatchObject({ path: '/run/redis.sock', db: 2 });
});

test('variables that Kubernetes sets for services named redis, database or worker are ignored', () => {
  const link = 'tcp://10.0.0.1:6379';
  expect(load({ REDIS_PORT: link, DATABASE_PORT: link }).REDIS_URL).toBe(needed.REDIS_URL);
});

test('a misspelt setting is reported with the setting that it resembles', () => {
  expect(misspelt(['REDIS_URI', 'CACHE_TTL_SECOND', 'DATABASE_PASSWORD_FIL'])).toEqual([
    ['REDIS_URI', 'REDIS_URL'],
    ['CACHE_TTL_SECOND', 'CACHE_TTL_SECONDS'],
    ['DATABASE_PASSWORD_FIL', 'DATABASE_PASSWORD_FILE'],
  ]);
  const others = [
    'HOSTNAME',
    'NODE_ENV',
    'REDIS_TLS_URL',
    'REDIS_SERVICE_HOST',
    'REDIS_PORT_6379_TCP',
    'DATABASE_YML',
  ];
  expect(misspelt([...others, 'PORT', 'REDIS_URL', 'METRICS_TOKEN_FILE', 'HEROKU_APP_NAME'])).toEqual([]);
});

test.each([
  [{ PGSSLMODE: 'verify-full' }, 'verify-full'],
  [{ PGSSLMODE: 'require', PGSSLROOTCERT: ca }, 'require'],
  [{ PGSSLROOTCERT: ca }, 'verify-full'],
  [{ PGSSLMODE: 'prefer', PGSSLROOTCERT: ca }, 'prefer'],
  [{ PGSSLMODE: 'disable', PGSSLROOTCERT: ca, PGSSLCERT: ca, PGSSLKEY: ca }, 'disable'],
  [{ PGSSLMODE: 'disable', DATABASE_SSLMODE: 'require' }, 'require'],
  [{ PGSSLMODE: 'disable', DATABASE_CA: ca }, 'verify-full'],
  [{ PGSSLMODE: 'disable', DATABASE_URL: 'postgres://u@db/l?sslmode=verify-full' }, 'verify-full'],
  [{ PGSSLMODE: '', PGSSLCRL: ' ' }, 'prefer'],
  [{ PGSSLMINPROTOCOLVERSION: 'TLSv1.2', PGCHANNELBINDING: 'prefer', PGREQUIRESSL: '0' }, 'prefer'],
  [{ PGSSLMODE: 'verify-full', PGREQUIREAUTH: 'md5', DATABASE_URL: 'postgres:///l?host=/run/pg' }, 'disable'],
])('the TLS variables of libpq apply where no setting is given: %j', (env, mode) => {
  const url = load(env).DATABASE_URL;
  expect(parsePostgresUrl(url).tls.mode).toBe(mode);
});

test('the TLS variables of libpq apply to DATABASE_DIRECT_URL too', () => {
  const { DATABASE_DIRECT_URL } = load({
    DATABASE_DIRECT_URL: 'postgres://direct/l',
    PGSSLMODE: 'verify-full',
  });
  expect(parsePostgresUrl(DATABASE_DIRECT_URL!).tls.mode).toBe('verify-full');
});

test('a CA and a client certificate of libpq variables are used', () => {
  const [cert, key] = ['server.crt', 'server.key'].map((name) =>
    fileURLToPath(new URL(`../support/services/tls/${name}`, import.meta.url)),
  );
  const { DATABASE_URL } = load({ PGSSLROOTCERT: ca, PGSSLCERT: cert, PGSSLKEY: key });
  const { tls } = parsePostgresUrl(DATABASE_URL);
  expect(Object.keys(tls.options).toSorted()).toEqual(['ca', 'cert', 'key', 'rejectUnauthorized']);
  expect(tls.options.rejectUnauthorized).toBe(true);
});

test.each([
  [{ PGSSLMODE: 'verify' }, /^DATABASE_URL with PGSSLMODE has an invalid sslmode/],
  [{ PGSSLMODE: 'verify-ca' }, /^DATABASE_URL with PGSSLMODE has sslmode=verify-ca without a CA/],
  [
    { PGSSLROOTCERT: '/nowhere/ca.crt' },
    /^DATABASE_URL with PGSSLROOTCERT has a CA certificate that cannot be read/,
  ],
  [{ PGSSLCERT: ca }, /^DATABASE_URL with PGSSLCERT has a client certificate without its key/],
  [{ PGSSLCRL: '/crl' }, /^DATABASE_URL with PGSSLCRL requires a check .* unset PGSSLCRL/],
  [{ PGSSLCRLDIR: '/crl' }, /unset PGSSLCRLDIR/],
  [{ PGREQUIREAUTH: 'scram-sha-256' }, /unset PGREQUIREAUTH/],
  [{ PGREQUIRESSL: '1' }, /unset PGREQUIRESSL/],
  [{ PGCHANNELBINDING: 'require' }, /unset PGCHANNELBINDING/],
  [{ PGGSSENCMODE: 'require' }, /unset PGGSSENCMODE/],
  [{ PGSSLMINPROTOCOLVERSION: 'TLSv1.3' }, /unset PGSSLMINPROTOCOLVERSION/],
])('an unsupported variable of libpq is rejected by name: %j', (env, problem) => {
  expect(problemsOf(env)).toEqual([expect.stringMatching(problem)]);
});
