import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createClickStream } from '../../../src/clicks/stream/stream.ts';
import { createEpochStamp } from '../../../src/epoch/epoch-stamp.ts';
import { jobNames } from '../../../src/queues/jobs.ts';
import { createQueues } from '../../../src/queues/queues.ts';
import { createWorkerCounts, sendHeartbeats } from '../../../src/queues/worker-heartbeats.ts';
import { primariesOf, type RedisClient } from '../../../src/storage/redis/client.ts';
import { causeOf } from '../../../src/storage/redis/cluster.ts';
import { watchRedisMemory } from '../../../src/storage/redis/memory.ts';
import { probeRedis } from '../../../src/storage/redis/probe.ts';
import { closeRedis, openRedis } from '../../../src/storage/redis/redis.ts';
import { requiredCommands } from '../../../src/storage/redis/required-commands.ts';
import type { RedisRole } from '../../../src/storage/redis/roles.ts';
import { createRedisUrlCache } from '../../../src/urls/cache/redis-cache.ts';
import { channelOf, subscribeToChanges } from '../../../src/urls/changes/redis-bus.ts';
import { defaultSettings, type ShortUrl } from '../../../src/urls/url.ts';
import { keepSchedules } from '../../../workers/schedules.ts';
import { silentLog } from '../../support/resources.ts';
import { startTestCluster, type TestCluster } from '../../support/services/cluster.ts';
import { startTestRedis } from '../../support/services/servers.ts';
import { waitUntil } from '../../support/wait-until.ts';

const prefix = 'linkmill';
let cluster: TestCluster;
const opened: RedisClient[] = [];

beforeAll(async () => {
  cluster = await startTestCluster({ hasReplicas: false });
});

afterAll(async () => {
  await Promise.all(opened.map(closeRedis));
  await cluster.stop();
});

async function open(role: RedisRole, url = cluster.url): Promise<RedisClient> {
  const redis = openRedis(role, url, silentLog);
  opened.push(redis);
  await waitUntil('the cluster is connected', () => redis.status === 'ready');
  return redis;
}

const codes = Array.from({ length: 60 }, (_, i) => `code-${i}`);

function makeUrl(shortCode: string, version: number): ShortUrl {
  const now = new Date();
  const fixed = { createdAt: now, updatedAt: now, createdBy: null, isActive: true };
  const originalUrl = `https://example.com/${shortCode}/${version}`;
  return { id: version, shortCode, originalUrl, ...defaultSettings, ...fixed, version };
}

async function scanAll(cache: ReturnType<typeof createRedisUrlCache>): Promise<string[]> {
  const found = new Set<string>();
  let cursor = '0';
  do {
    const step = await cache.scan(cursor);
    step.shortCodes.forEach((code) => found.add(code));
    cursor = step.next;
  } while (cursor !== '0');
  return [...found].sort();
}

test('short URLs are cached, found, scanned and counted on all nodes', async () => {
  // With the patience of a job: that of a redirect is not what this is about.
  const redis = await open('jobs');
  const cache = createRedisUrlCache(redis, { prefix, ttlSeconds: 60 });
  expect(await cache.putMany(codes.map((code, i) => makeUrl(code, i + 1)))).toBe(codes.length);

  const found = await cache.findMany([...codes, 'unknown']);
  expect(found.map((entry) => entry?.version)).toEqual([...codes.map((_, i) => i + 1), undefined]);
  const sizes = await Promise.all(primariesOf(redis).map(async (node) => await node.dbsize()));
  expect(sizes.filter((size) => size > 5)).toHaveLength(3);
  expect(await cache.countKeys()).toBe(codes.length);
  expect(await scanAll(cache)).toEqual([...codes].sort());
});

test('a change replaces older entries only, and reaches every subscriber', async () => {
  const heard: string[] = [];
  let isConnected = false;
  const stop = subscribeToChanges(
    await open('subscriber'),
    prefix,
    {
      onChange: (shortCode, version) => heard.push(`${shortCode} ${version}`),
      onConnected: () => (isConnected = true),
      onDisconnected: () => (isConnected = false),
    },
    silentLog,
  );
  await waitUntil('the subscriber is connected', () => isConnected);
  const cache = createRedisUrlCache(await open('jobs'), { prefix, ttlSeconds: 60 });
  const changed = ['a', 'b', 'c', 'd', 'e'];
  await Promise.all(changed.map(async (code) => await cache.create(makeUrl(code, 5))));
  await cache.putMany(changed.map((code) => makeUrl(code, 4)));
  expect((await cache.findMany(changed)).map((entry) => entry?.version)).toEqual([5, 5, 5, 5, 5]);
  await waitUntil('all changes are heard', () => changed.every((code) => heard.includes(`${code} 5`)));
  stop();
});

test('a subscriber whose node ends hears changes from another one', async () => {
  let isConnected = false;
  const heard: string[] = [];
  const [dead] = cluster.servers.map(({ port }) => port + 1);
  const subscriber = openRedis(
    'subscriber',
    // The first one does not listen.
    cluster.url.replace('redis+cluster://', `redis+cluster://127.0.0.1:${dead},`),
    silentLog,
  );
  opened.push(subscriber);
  const listener = {
    onChange: (shortCode: string) => void heard.push(shortCode),
    onConnected: () => void (isConnected = true),
    onDisconnected: () => void (isConnected = false),
  };
  const stop = subscribeToChanges(subscriber, prefix, listener, silentLog);
  await waitUntil('it is connected', () => isConnected);
  const admin = cluster.clients[0]!;
  for (const client of cluster.clients) await client.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
  await waitUntil('it is connected to another node', async () => {
    await admin.publish(channelOf(prefix), '7:after-the-end');
    return heard.includes('after-the-end');
  });
  stop();
});

test('clicks of all shards are carried, and the oldest one has an age', async () => {
  const stream = createClickStream(await open('clicks'), { prefix, shards: 4 });
  const producers = ['000000', '000001', '000002', '000003'].map(
    (end) => `00000000-0000-0000-0000-000000${end}`,
  );
  const clicks = [{ urlId: 1, count: 1, lastAtMs: 60_000 }];
  for (const producer of producers) await stream.send({ producer, seq: 1, accepted: 1, clicks });
  expect(await stream.readAll()).toMatchObject({ waiting: 4 });
  const pending = await Promise.all([0, 1, 2, 3].map(async (shard) => await stream.readPending(shard)));
  expect(pending.flat().map(({ batch }) => batch?.producer)).toEqual(producers);
  expect((await stream.oldest(2))?.waitingMs).toBeGreaterThanOrEqual(0);
});

test('workers, queues, the epoch and the memory are read from all nodes', async () => {
  const redis = await open('producer');
  const stop = sendHeartbeats({ redis, prefix, processId: 'one', names: ['flush-clicks'], log: silentLog });
  const counts = createWorkerCounts(redis, prefix);
  await waitUntil('the worker is counted', async () => (await counts.readProcesses()).count === 1);
  expect((await counts.readProcesses()).lastSeenMs).toBeLessThan(5_000);
  await stop();

  const queues = createQueues(redis, prefix, silentLog);
  await queues.add('warm-cache', {}, 'test');
  const states = await queues.readStates();
  expect(states.map(({ queue }) => queue)).toEqual(jobNames);
  expect(states.find(({ queue }) => queue === 'warm-cache')?.jobs.waiting).toBe(1);
  await Promise.all(queues.all.map(async (queue) => await queue.close()));

  const stamp = createEpochStamp(redis, prefix);
  expect(await stamp.read()).toBeUndefined();
  const epoch = { epoch: 'e', identity: 'i', number: 1, versionFloor: 7, reason: 'test' };
  expect(await stamp.write(epoch, { epoch: epoch.epoch, walPosition: 3, version: 9 })).toBe(true);
  expect(await stamp.read()).toMatchObject({ epoch: 'e', versionFloor: 7, walPosition: 3, version: 9 });

  const memory = watchRedisMemory(redis, silentLog);
  await waitUntil('the memory is read', () => memory.latest() !== undefined);
  expect(memory.latest()!.usedBytes).toBeGreaterThan(3 * 500_000);
  memory.stop();
});

describe('a probe', () => {
  const probe = async (redis: RedisClient, connectionError: () => unknown = () => undefined) =>
    await probeRedis(redis, {
      prefix,
      channel: channelOf(prefix),
      commands: requiredCommands,
      connectionError,
    });

  test('finds nothing wrong with a cluster', async () => {
    expect(await probe(await open('probe'))).toEqual({});
  });

  test('finds nothing wrong with the documented rights, and names a missing one', async () => {
    const least = [
      'on',
      '>secret',
      '~linkmill*',
      '~{linkmill*',
      '&linkmill*',
      '+@all',
      '-@dangerous',
      '+info',
    ];
    for (const client of cluster.clients) await client.acl('SETUSER', 'least', ...least);
    const url = cluster.url.replace('://', '://least:secret@');
    const redis = await open('probe', url);
    expect(await probe(redis)).toEqual({});
    for (const client of cluster.clients) await client.acl('SETUSER', 'least', '-xadd');
    expect((await probe(redis)).redis_rights_missing).toContain('run XADD.');
  });

  test('finds that the URL names a cluster, but Redis is none', async () => {
    const single = await startTestRedis();
    const redis = openRedis('probe', single.url.replace('redis://', 'redis+cluster://'), silentLog);
    opened.push(redis);
    let error: unknown;
    redis.on('error', (reason: Error) => (error = causeOf(reason)));
    await waitUntil('the cluster has failed', () => error !== undefined);
    expect((await probe(redis, () => error)).redis_unsupported).toContain('not in cluster mode');
    redis.disconnect();
    await single.stop();
  });

  test('finds that the URL names a node, but not a cluster', async () => {
    const redis = await open('probe', `redis://127.0.0.1:${cluster.servers[0]!.port}`);
    expect((await probe(redis)).redis_unsupported).toContain('redis+cluster://');
  });

  test('finds slots without a node, and the end of that', async () => {
    const redis = await open('probe');
    const [node] = cluster.clients;
    await node!.call('CLUSTER', 'DELSLOTS', '0');
    await waitUntil('the cluster is down', async () =>
      (await probe(redis)).redis_unavailable?.includes('some of its slots have no node'),
    );
    await node!.call('CLUSTER', 'ADDSLOTS', '0');
    await waitUntil('the cluster is complete', async () => Object.keys(await probe(redis)).length === 0);
  });
});

test('after a node has restarted, the whole cache is compared', async () => {
  const redis = await open('producer');
  const queues = createQueues(redis, 'restarted', silentLog);
  const stop = keepSchedules({
    queues,
    redis,
    cacheRedis: redis,
    hasOwnCache: false,
    names: ['reconcile-cache'],
    clickShards: 1,
    log: silentLog,
  });
  const queue = queues.all.find(({ name }) => name === 'reconcile-cache')!;
  const isRequested = async () =>
    (await queue.getJobs(['waiting'])).some(({ data }) => (data as { all?: boolean }).all === true);
  await waitUntil('a comparison of changes is requested', async () => (await queue.count()) > 0);
  expect(await isRequested()).toBe(false);
  const [server] = cluster.servers;
  await server!.kill();
  await server!.start();
  await waitUntil(
    'a comparison of everything is requested',
    async () => await isRequested().catch(() => false),
  );
  stop();
  await Promise.all(queues.all.map(async (one) => await one.close()));
});
