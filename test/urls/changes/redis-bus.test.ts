import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { closeRedis, openRedis } from '../../../src/storage/redis/redis.ts';
import { createRedisUrlCache } from '../../../src/urls/cache/redis-cache.ts';
import { channelOf, subscribeToChanges } from '../../../src/urls/changes/redis-bus.ts';
import { defaultSettings, type ShortUrl } from '../../../src/urls/url.ts';
import { type Proxy, startProxy } from '../../support/proxy/proxy.ts';
import { silentLog, useRedis } from '../../support/resources.ts';
import { waitUntil } from '../../support/wait-until.ts';

const { redis, prefix, url } = useRedis();
let proxy: Proxy;
/** Closes the subscribers of a test. */
let closers: (() => Promise<void>)[] = [];

beforeAll(async () => {
  proxy = await startProxy(Number(new URL(url()).port));
});

afterAll(async () => {
  await proxy.close();
});

afterEach(async () => {
  await Promise.all(closers.map((end) => end()));
  closers = [];
});

/** Subscribes through the proxy, on a separate channel, and records the events. */
async function subscribe(user = '') {
  const ownPrefix = `${prefix}-${randomUUID()}`;
  const events: string[] = [];
  const logged: { level: number; msg: string }[] = [];
  const log = pino({ level: 'debug' }, { write: (line: string) => void logged.push(JSON.parse(line)) });
  const subscriber = openRedis('subscriber', `redis://${user}127.0.0.1:${proxy.port}`, silentLog);
  const listener = {
    onChange: (shortCode: string, version: number) => events.push(`${shortCode} ${version}`),
    onConnected: () => events.push('connected'),
    onDisconnected: () => events.push('disconnected'),
  };
  const stop = subscribeToChanges(subscriber, ownPrefix, listener, log);
  closers.push(async () => {
    stop();
    await closeRedis(subscriber);
  });
  await waitUntil('the subscriber is connected', () => events.includes('connected'));
  const publish = async (message: string | Buffer) => await redis().publish(channelOf(ownPrefix), message);
  let ended = 0;
  return {
    events,
    logged,
    cache: createRedisUrlCache(redis(), { prefix: ownPrefix, ttlSeconds: 60 }),
    publish,
    /** Returns all events of the changes published so far. */
    readEvents: async () => {
      ended += 1;
      const end = `the-end-${ended}`;
      await waitUntil('the last message is received', async () => {
        // A message published while disconnected is lost.
        await publish(`1:${end}`);
        return events.includes(`${end} 1`);
      });
      return events.filter((one) => !one.startsWith('the-end-'));
    },
  };
}

/** Creates a Redis user with all rights. */
async function makeUser() {
  const user = `listener-${randomUUID()}`;
  const setRights = async (...rights: string[]) => await redis().call('ACL', 'SETUSER', user, ...rights);
  await setRights('on', '>password', '+@all', '~*', '&*');
  closers.push(async () => void (await redis().call('ACL', 'DELUSER', user)));
  return { user, setRights };
}

/** Returns how often Redis rejected a command of a user. */
async function countRejections(user: string): Promise<number> {
  const entries = (await redis().call('ACL', 'LOG', '1000')) as unknown[][];
  const fields = entries.map((entry) =>
    Object.fromEntries(entry.flatMap((name, i) => (i % 2 === 0 ? [[name, entry[i + 1]]] : []))),
  );
  return fields
    .filter((entry) => entry['username'] === user)
    .reduce((sum, entry) => sum + Number(entry['count']), 0);
}

const makeUrl = (shortCode: string, version: number): ShortUrl => ({
  id: version,
  shortCode,
  originalUrl: `https://example.com/${version}`,
  createdAt: new Date(),
  updatedAt: new Date(),
  ...defaultSettings,
  createdBy: null,
  isActive: true,
  version,
});

test('a create, deletion or expiry is published once, with its version', async () => {
  const { cache, readEvents } = await subscribe();
  await cache.create(makeUrl('created', 3));
  await cache.putTombstones([{ shortCode: 'deleted', version: 4 }], 'not_found');
  await cache.putTombstones(
    [
      { shortCode: 'expired-1', version: 5 },
      { shortCode: 'expired-2', version: 6 },
    ],
    'expired',
  );
  expect(await readEvents()).toEqual(['connected', 'created 3', 'deleted 4', 'expired-1 5', 'expired-2 6']);
});

test('entries that a reader puts are not published', async () => {
  const { cache, readEvents } = await subscribe();
  await cache.put(makeUrl('code-1', 3));
  await cache.putMany([makeUrl('code-2', 3), makeUrl('code-3', 3)]);
  await cache.putNegative({ shortCode: 'code-4', version: 3 }, 'expired');
  await cache.putUnknown('code-5');
  expect(await readEvents()).toEqual(['connected']);
});

test('a create over a negative entry is published', async () => {
  const { cache, readEvents } = await subscribe();
  await cache.putUnknown('code');
  await cache.create(makeUrl('code', 3));
  expect(await readEvents()).toEqual(['connected', 'code 3']);
});

test('a change is published even if a reader has put it before its writer', async () => {
  const { cache, readEvents } = await subscribe();
  await cache.put(makeUrl('created', 3));
  await cache.create(makeUrl('created', 3));
  await cache.putNegative({ shortCode: 'deleted', version: 4 }, 'not_found');
  await cache.putTombstones([{ shortCode: 'deleted', version: 4 }], 'not_found');
  expect(await readEvents()).toEqual(['connected', 'created 3', 'deleted 4']);
});

test('the cache has a change once it is published', async () => {
  const { cache, events } = await subscribe();
  await cache.put(makeUrl('code', 3));
  const other = openRedis('cache', url(), silentLog);
  closers.push(async () => await closeRedis(other));
  const published = waitUntil('the change is published', () => events.includes('code 4'));
  void cache.putTombstones([{ shortCode: 'code', version: 4 }], 'not_found');
  await published;
  expect(await cache.find('code')).toEqual({ negative: 'not_found', version: 4 });
});

test('a subscriber whose connection is cut reports it, and reconnects', async () => {
  const { events, cache, readEvents } = await subscribe();
  await proxy.refuse();
  proxy.cut();
  await waitUntil('the subscriber is disconnected', () => events.at(-1) === 'disconnected', 1_000);
  await cache.create(makeUrl('missed', 3));
  await proxy.accept();
  await waitUntil('the subscriber has reconnected', () => events.at(-1) === 'connected', 3_000);
  await cache.create(makeUrl('received', 4));
  expect(await readEvents()).toEqual(['connected', 'disconnected', 'connected', 'received 4']);
});

test('every change after a reconnect is received, however often the connection is cut', async () => {
  const { events, cache } = await subscribe();
  for (let version = 1; version <= 10; version++) {
    const before = events.length;
    proxy.cut();
    await waitUntil(
      'the subscriber has reconnected',
      () => events.slice(before).includes('connected'),
      3_000,
    );
    await cache.create(makeUrl('code', version));
    await waitUntil('the change is received', () => events.includes(`code ${version}`), 1_000);
  }
});

test('a subscriber with a half-open connection reports it within 4 s, and reconnects', async () => {
  const { events, cache, readEvents } = await subscribe();
  proxy.goHalfOpen();
  await cache.create(makeUrl('missed', 3));
  await waitUntil('the subscriber is disconnected', () => events.includes('disconnected'), 4_000);
  await waitUntil('the subscriber has reconnected', () => events.at(-1) === 'connected', 3_000);
  await cache.create(makeUrl('received', 4));
  expect(await readEvents()).toEqual(['connected', 'disconnected', 'connected', 'received 4']);
});

test('a subscriber whose ping is rejected reports it, and recovers', async () => {
  const { user, setRights } = await makeUser();
  const { events, cache, readEvents } = await subscribe(`${user}:password@`);
  await setRights('-ping');
  await waitUntil('the subscriber is disconnected', () => events.at(-1) === 'disconnected', 3_000);
  await setRights('+ping');
  await waitUntil('the subscriber has reconnected', () => events.at(-1) === 'connected', 3_000);
  await cache.create(makeUrl('received', 4));
  expect(await readEvents()).toEqual(['connected', 'disconnected', 'connected', 'received 4']);
});

test('a rejected subscription is logged once, and so is its recovery', async () => {
  const { user, setRights } = await makeUser();
  const { events, logged } = await subscribe(`${user}:password@`);
  await setRights('-subscribe');
  proxy.cut();
  await waitUntil(
    'Redis has rejected the subscriber three times',
    async () => (await countRejections(user)) >= 3,
  );
  expect(logged.map(({ level, msg }) => [level, msg])).toEqual([
    [40, 'failed to subscribe to the invalidation bus'],
  ]);
  await setRights('+subscribe');
  await waitUntil('the subscriber has reconnected', () => events.at(-1) === 'connected');
  expect(logged.slice(1)).toMatchObject([{ level: 30, msg: 'reconnected to the invalidation bus' }]);
});

test('an invalid message is ignored', async () => {
  const { publish, readEvents } = await subscribe();
  const messages = [
    '',
    ':',
    'garbage',
    ':code',
    'code',
    'x:code',
    'NaN:code',
    '-1:code',
    '1.5:code',
    '1e9:code',
    ' 7::code',
    'Infinity:code',
    '0x10:code',
    `${2 ** 53}:code`,
    `${'9'.repeat(30)}:code`,
    '7:',
    '7: code',
    '7:a! b c d',
    '7:code\n',
    '7:code:more',
    `7:${'a'.repeat(10_000)}`,
    '7:\u{1F600}',
    '{"id":7}',
  ];
  for (const message of messages) await publish(message);
  await publish(Buffer.from([0xff, 0xfe, 0x3a, 0x00]));
  await publish('8:code');
  expect(await readEvents()).toEqual(['connected', 'code 8']);
});

test('a message can contain several changes, and invalid parts are skipped', async () => {
  const { publish, readEvents } = await subscribe();
  await publish('7:first 8:second  x:third 9:fourth');
  expect(await readEvents()).toEqual(['connected', 'first 7', 'second 8', 'fourth 9']);
});
