import { mkdir } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { probeRedis } from '../../../src/storage/redis/probe.ts';
import { closeRedis, openRedis } from '../../../src/storage/redis/redis.ts';
import { requiredCommands } from '../../../src/storage/redis/required-commands.ts';
import { channelOf } from '../../../src/urls/changes/redis-bus.ts';
import { silentLog } from '../../support/resources.ts';
import { useRedisUsers } from '../../support/services/redis-users.ts';
import { startTestRedis } from '../../support/services/servers.ts';
import { waitUntil } from '../../support/wait-until.ts';

const redisUsers = useRedisUsers();
const prefix = 'linkmill';
const least = ['~linkmill*', '~{linkmill*', '&linkmill*', '+@all', '-@dangerous', '+info'];

/** The problems that a probe finds with the rights of a new user. */
async function probeAs(rights: string[]) {
  const user = `user-${rights.join('').replaceAll(/\W/g, '')}`;
  return await probe(await redisUsers.createUser(user, rights));
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
    commands: requiredCommands,
    connectionError: () => connectionError,
  });
  await closeRedis(redis);
  return problems;
}

test('a user with the documented rights lacks none, and the probe changes nothing', async () => {
  expect(await probeAs(least)).toEqual({});
  expect(await redisUsers.admin().dbsize()).toBe(0);
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
  const url = await redisUsers.createUser('somebody', ['~*', '+@all']);
  const wrong = await probe(url.replace('secret', 'wrong'));
  expect(wrong).toEqual({ redis_login_refused: expect.stringContaining('the password') });
  expect(wrong.redis_login_refused).not.toMatch(/somebody|127/);
  await redisUsers.admin().config('SET', 'requirepass', 'secret');
  const none = await probe(redisUsers.server().url);
  await redisUsers.admin().config('SET', 'requirepass', '');
  expect(none).toEqual({ redis_login_refused: expect.stringContaining('requires a password') });
});

test('an evicting Redis is reported with its policy', async () => {
  await redisUsers.admin().config('SET', 'maxmemory-policy', 'allkeys-lru');
  const problems = await probe(redisUsers.server().url);
  await redisUsers.admin().config('SET', 'maxmemory-policy', 'noeviction');
  expect(problems).toEqual({ redis_evicts: expect.stringContaining('allkeys-lru') });
});

test('a replica is reported, also for a user without INFO', async () => {
  await redisUsers.admin().call('REPLICAOF', '127.0.0.1', '1');
  const [withInfo, without] = [await probeAs(least), await probeAs([...least, '-info'])];
  await redisUsers.admin().call('REPLICAOF', 'NO', 'ONE');
  expect(withInfo).toEqual({ redis_refuses_writes: expect.stringContaining('replica') });
  expect(without).toMatchObject(withInfo);
});

test('a full Redis and one that cannot save have different reasons', async () => {
  await redisUsers.admin().config('SET', 'maxmemory', '1');
  const full = await probe(redisUsers.server().url);
  await redisUsers.admin().config('SET', 'maxmemory', '0');
  expect(full.redis_refuses_writes).toContain('maxmemory');

  await redisUsers.admin().config('SET', 'save', '3600 1000');
  // A folder in place of the file makes the save fail, even for root.
  await mkdir(`${redisUsers.server().dataDir}/dump.rdb/in-the-way`, { recursive: true });
  await redisUsers.admin().call('BGSAVE');
  await waitUntil('the save has failed', async () =>
    (await redisUsers.admin().info('persistence')).includes('rdb_last_bgsave_status:err'),
  );
  const unsaved = await probe(redisUsers.server().url);
  await redisUsers.admin().config('SET', 'save', '');
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
