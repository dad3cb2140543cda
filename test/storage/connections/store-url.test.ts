import { expect, test } from 'vitest';
import { parsePostgresUrl } from '../../../src/storage/connections/postgres-url.ts';
import { parseRedisUrl } from '../../../src/storage/connections/redis-url.ts';
import { StoreUrlError } from '../../../src/storage/connections/store-url.ts';

const secret = 'hunter2';

/** The reason for the rejection of a URL, with `SHOWN` instead of the password. */
function reasonOf(parse: (url: string) => unknown, url: string): string {
  try {
    parse(url);
  } catch (error) {
    if (!(error instanceof StoreUrlError)) throw error;
    return error.message.replaceAll(secret, 'SHOWN');
  }
  return 'accepted';
}

test.each([
  ['redis://host', { host: 'host', port: 6_379, db: 0 }],
  ['redis://host/3', { db: 3 }],
  ['redis://host?db=3', { db: 3 }],
  ['redis://user:p%40ss%2Fw%25@host:7000/3', { username: 'user', password: 'p@ss/w%', port: 7_000 }],
  ['redis://:p@ss:word@host', { password: 'p@ss:word', host: 'host' }],
  ['redis://[2001:db8::1]:7000/1', { host: '2001:db8::1', port: 7_000, db: 1 }],
  ['redis://host?family=6', { family: 6 }],
  ['rediss://host', { tls: { rejectUnauthorized: true } }],
  ['rediss://host?sslmode=require', { tls: { rejectUnauthorized: false } }],
  ['unix:///run/redis.sock', { path: '/run/redis.sock', db: 0 }],
  [
    'redis+unix://user:secret@/run/redis.sock?db=2',
    { path: '/run/redis.sock', username: 'user', password: 'secret', db: 2 },
  ],
  [
    'redis+sentinel://user:secret@s1:26380,[::1],s3/links/2',
    {
      sentinels: [
        { host: 's1', port: 26_380 },
        { host: '::1', port: 26_379 },
        { host: 's3', port: 26_379 },
      ],
      name: 'links',
      db: 2,
      username: 'user',
      password: 'secret',
    },
  ],
  ['redis+sentinel://s1/links', { sentinels: [{ host: 's1', port: 26_379 }], name: 'links', db: 0 }],
  [
    'redis+sentinel://s1/links?sentinel_user=watch&sentinel_password=secret',
    { sentinelUsername: 'watch', sentinelPassword: 'secret' },
  ],
  [
    'rediss+sentinel://s1/links',
    {
      tls: { rejectUnauthorized: true },
      sentinelTLS: { rejectUnauthorized: true },
      enableTLSForSentinelMode: true,
    },
  ],
  [
    'redis+cluster://user:secret@n1:7000,[::1],n3',
    {
      clusterNodes: [
        { host: 'n1', port: 7_000 },
        { host: '::1', port: 6_379 },
        { host: 'n3', port: 6_379 },
      ],
      username: 'user',
      password: 'secret',
    },
  ],
  [
    'rediss+cluster://n1/0',
    { clusterNodes: [{ host: 'n1', port: 6_379 }], tls: { rejectUnauthorized: true } },
  ],
])('the Redis URL %s is parsed', (url, address) => {
  expect(parseRedisUrl(url)).toMatchObject(address);
});

test.each([
  ['http://host', /must be a URL such as redis:/],
  ['host:6379', /must be a URL such as redis:/],
  ['redis:///run/r.sock', /has no host; for a Unix socket use unix:\/\/\/run\/redis\.sock/],
  ['redis://', /has no host/],
  ['unix://run/r.sock', /three slashes/],
  ['redis://host/main', /by its number/],
  ['redis://host/1/2', /by its number/],
  ['redis://host/-1', /by its number/],
  ['redis://host/1?db=2', /two database numbers/],
  ['redis://host?family=five', /family/],
  ['redis://host?sslmode=require', /rediss:/],
  ['rediss://host?sslmode=prefer', /always encrypts/],
  ['redis://host?commandTimeout=5', /unsupported parameters: commandTimeout/],
  ['redis://host:99999', /port from 1 to 65535/],
  ['redis://2001:db8::1:6379', /brackets/],
  ['redis://a:1,b:2', /several hosts/],
  ['redis+cluster://,n2', /no host of a cluster node/],
  ['redis+cluster://n1,n2/1', /has only 0/],
  ['redis+cluster://n1?db=0', /unsupported parameters: db/],
  ['redis+cluster://n1?sslmode=require', /rediss:/],
  ['redis+sentinel://s1,s2', /must name the primary/],
  ['redis+sentinel://s1,s2/', /must name the primary/],
  ['redis+sentinel://s1,/links', /no host of a sentinel/],
  ['redis+sentinel://s1,s2:x/links', /must be a URL such as redis:/],
  ['redis+sentinel://s1/links/0/1', /must name the primary/],
  ['redis+sentinel://s1/links/zero', /by its number/],
  ['redis+sentinel://s1/links?sslmode=require', /rediss:/],
  ['redis://host?sentinel_password=x', /unsupported parameters: sentinel_password/],
  [`redis://:${secret}/x@host`, /percent-encode/],
  [`redis://:${secret}#x@host`, /percent-encode/],
  [`redis://:${secret}?x@host`, /percent-encode/],
  [`redis://:${secret}%x@host`, /percent-encode/],
  [`redis://user:12/${secret}@host`, /percent-encode/],
  [`redis://user:12?${secret}@host`, /percent-encode/],
])('the Redis URL %s is rejected with the reason', (url, reason) => {
  const found = reasonOf(parseRedisUrl, url);
  expect(found).toMatch(reason);
  expect(found).not.toContain('SHOWN');
});

test.each([
  ['postgres://host/db', { hosts: [{ host: 'host', port: 5_432 }], database: 'db', tls: { mode: 'prefer' } }],
  [
    'postgresql://user:p%40ss%25@host:6543/db',
    { user: 'user', password: 'p@ss%', hosts: [{ host: 'host', port: 6_543 }] },
  ],
  ['postgres://user:p@ss:word@host/db', { user: 'user', password: 'p@ss:word', hosts: [{ host: 'host' }] }],
  ['postgres://[::1]:5433/db', { hosts: [{ host: '::1', port: 5_433 }] }],
  [
    'postgres://user@/db?host=/var/run/postgresql',
    { hosts: [{ host: '/var/run/postgresql' }], tls: { mode: 'disable' } },
  ],
  [
    'postgres://user@%2Fvar%2Frun%2Fpostgresql/db',
    { hosts: [{ host: '/var/run/postgresql' }], database: 'db' },
  ],
  [
    'postgres:///?host=db&port=6000&user=me&dbname=links',
    { hosts: [{ host: 'db', port: 6_000 }], user: 'me', database: 'links' },
  ],
  [
    'postgres://host/db?sslmode=require',
    { tls: { mode: 'require', options: { rejectUnauthorized: false } } },
  ],
  [
    'postgres://host/db?sslmode=verify-full',
    { tls: { mode: 'verify-full', options: { rejectUnauthorized: true } } },
  ],
  ['postgres://host/db?sslmode=require&channel_binding=require', { bindsChannel: true }],
  ['postgres://host/db?options=-c+work_mem%3D8MB', { options: '-c work_mem=8MB' }],
  [
    'postgres://user:p%40ss@h1:5433,h2,[::1]:5434/db?target_session_attrs=read-write',
    {
      hosts: [
        { host: 'h1', port: 5_433 },
        { host: 'h2', port: 5_432 },
        { host: '::1', port: 5_434 },
      ],
      password: 'p@ss',
    },
  ],
  [
    'postgres:///db?host=h1,h2&port=5433',
    {
      hosts: [
        { host: 'h1', port: 5_433 },
        { host: 'h2', port: 5_433 },
      ],
    },
  ],
])('the PostgreSQL URL %s is parsed', (url, address) => {
  expect(parsePostgresUrl(url)).toMatchObject(address);
});

test.each([
  ['mysql://host/db', /must be a URL such as postgres:/],
  ['postgres:///db', /has no host; for a Unix socket add \?host=/],
  ['postgres://host/db?sslmode=no-verify', /one of disable, allow, prefer, require/],
  ['postgres://host/db?sslmode=verify-ca', /without a CA certificate/],
  ['postgres://host/db?sslrootcert=/nowhere.crt', /cannot be read \(ENOENT\)/],
  ['postgres://host/db?sslmode=disable&sslrootcert=system', /does not use/],
  ['postgres://host/db?sslcert=/some.crt', /without its key/],
  ['postgres://host/db?schema=public', /schema=, which belongs to Prisma/],
  ['postgres://host/db?ssl=true', /use sslmode=/],
  ['postgres://host/db?connection_limit=5', /unsupported parameters: connection_limit/],
  ['postgres://user@/db?host=/run&sslmode=require', /Unix socket has no TLS/],
  ['postgres://a,/db', /has no host/],
  ['postgres:///db?host=/run,b', /one of them a Unix socket/],
  ['postgres:///db?host=a,b,c&port=1,2', /another number of ports/],
  ['postgres://a,b/db?target_session_attrs=any', /may choose a standby/],
  [`postgres://user:${secret}/x@host/db`, /percent-encode/],
  [`postgres://user:${secret}#x@host/db`, /percent-encode/],
  [`postgres://user:${secret}?x@host/db`, /percent-encode/],
  [`postgres://user:${secret}%@host/db`, /percent-encode/],
  [`postgres://user:1/${secret}@host/db`, /percent-encode/],
  [`postgres://user:1?${secret}@host/db`, /percent-encode/],
])('the PostgreSQL URL %s is rejected with the reason', (url, reason) => {
  const found = reasonOf(parsePostgresUrl, url);
  expect(found).toMatch(reason);
  expect(found).not.toContain('SHOWN');
});
