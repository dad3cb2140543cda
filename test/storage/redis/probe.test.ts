import { mkdir } from 'node:fs/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { probeRedis } from '../../../src/storage/redis/probe.ts';
import { closeRedis, openRedis } from '../../../src/storage/redis/redis.ts';
import { channelOf } from '../../../src/urls/changes/redis-bus.ts';
import { silentLog, track } from '../../support/resources.ts';
import { startTestRedis, type TestRedis } from '../../support/services/servers.ts';
import { waitUntil } from '../../support/wait-until.ts';

let server: TestRedis;
let admin: Redis;
let closed: () => void;
const prefix = 'linkmill';
const least = ['~linkmill*', '~{linkmill*', '&linkmill*', '+@all', '-@dangerous', '+info'];

beforeAll(async () => {
  server = await startTestRedis();
  closed = track('Redis server');
  admin = new Redis(server.url);
});
afterAll(async () => {
  admin.disconnect();
  await server.stop();
  closed();
});

/** The problems that a probe finds with the rights of a new user. */
async function probeAs(rights: string[], url = server.url) {
  const user = `user-${rights.join('').replaceAll(/\W/g, '')}`;
  await admin.call('ACL', 'SETUSER', user, 'reset', 'on', '>secret', ...rights);
  const target = new URL(url);
  return await probe(`redis://${user}:secret@${target.host}`);
}

async function probe(url: string) {
  const redis = openRedis('probe', url, silentLog);
  let connectionError: unknown;
  redis.on('error', (error) => (connectionError = error));
  await waitUntil(
    'Redis is connected or has failed',
    () => redis.status === 'ready' || connectionError !== undefined,
  );
  const problems = await probeRedis(redis, {
    prefix,
    channel: channelOf(prefix),
    connectionError: () => connectionError,
  });
  await closeRedis(redis);
  return problems;
}

test('a user with the documented rights lacks none, and the probe changes nothing', async () => {
  expect(await probeAs(least)).toEqual({});
  expect(await admin.dbsize()).toBe(0);
});

describe.each([
  { lack: 'INFO', rights: [...least, '-info'], named: 'run INFO.' },
  { lack: 'scripts', rights: [...least, '-@scripting'], named: 'run EVAL, EVALSHA.' },
  { lack: 'blocking commands', rights: [...least, '-@blocking'], named: 'run BZPOPMIN.' },
  { lack: 'one command of streams', rights: [...least, '-xadd'], named: 'run XADD.' },
  { lack: 'transactions', rights: [...least, '-multi'], named: 'run MULTI.' },
  {
    lack: 'channels',
    rights: [...least, 'resetchannels'],
    named: 'access channels that begin with REDIS_PREFIX.',
  },
  { lack: 'the keys', rights: ['~other*', '&*', '+@all'], named: 'access keys that begin with REDIS_PREFIX' },
  {
    lack: 'the keys of queues, which begin with a brace',
    rights: ['~linkmill*', '&*', '+@all'],
    named: 'access keys that begin with REDIS_PREFIX or with "{" and REDIS_PREFIX',
  },
])('a user without $lack', ({ rights, named }) => {
  test('is reported with that right and no other', async () => {
    const problems = await probeAs(rights);
    expect(Object.keys(problems)).toEqual(['redis_rights_missing']);
    expect(problems.redis_rights_missing).toContain(`may not ${named}`);
  });
});

test('wrong and missing passwords have different reasons without the user name', async () => {
  await admin.call('ACL', 'SETUSER', 'somebody', 'on', '>secret', '~*', '+@all');
  const wrong = await probe(`redis://somebody:wrong@127.0.0.1:${server.port}`);
  expect(wrong).toEqual({ redis_login_refused: expect.stringContaining('the password') });
  expect(wrong.redis_login_refused).not.toMatch(/somebody|127/);
  await admin.config('SET', 'requirepass', 'secret');
  const none = await probe(server.url);
  await admin.config('SET', 'requirepass', '');
  expect(none).toEqual({ redis_login_refused: expect.stringContaining('requires a password') });
});

test('an evicting Redis is reported with its policy', async () => {
  await admin.config('SET', 'maxmemory-policy', 'allkeys-lru');
  const problems = await probe(server.url);
  await admin.config('SET', 'maxmemory-policy', 'noeviction');
  expect(problems).toEqual({ redis_evicts: expect.stringContaining('allkeys-lru') });
});

test('a replica is reported, also for a user without INFO', async () => {
  await admin.call('REPLICAOF', '127.0.0.1', '1');
  const [withInfo, without] = [await probeAs(least), await probeAs([...least, '-info'])];
  await admin.call('REPLICAOF', 'NO', 'ONE');
  expect(withInfo).toEqual({ redis_refuses_writes: expect.stringContaining('replica') });
  expect(without).toMatchObject(withInfo);
});

test('a full Redis and one that cannot save have different reasons', async () => {
  await admin.config('SET', 'maxmemory', '1');
  const full = await probe(server.url);
  await admin.config('SET', 'maxmemory', '0');
  expect(full.redis_refuses_writes).toContain('maxmemory');

  await admin.config('SET', 'save', '3600 1000');
  // A folder in place of the file makes the save fail, even for root.
  await mkdir(`${server.dataDir}/dump.rdb/in-the-way`, { recursive: true });
  await admin.call('BGSAVE');
  await waitUntil('the save has failed', async () =>
    (await admin.info('persistence')).includes('rdb_last_bgsave_status:err'),
  );
  const unsaved = await probe(server.url);
  await admin.config('SET', 'save', '');
  expect(unsaved.redis_refuses_writes).toContain('save');
});

test('a node of a Redis Cluster is reported', async () => {
  const node = await startTestRedis({ args: ['--cluster-enabled', 'yes'] });
  try {
    expect(await probe(node.url)).toEqual({ redis_unsupported: expect.stringContaining('Redis Cluster') });
  } finally {
    await node.stop();
  }
});

test('a refused connection and an unknown host name have different reasons', async () => {
  expect(await probe('redis://127.0.0.1:1')).toEqual({
    redis_unavailable: expect.stringContaining('ECONNREFUSED'),
  });
});
