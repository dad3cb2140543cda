import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { closeRedis, openRedis } from '../../../src/storage/redis/redis.ts';
import { createRedisUrlCache } from '../../../src/urls/cache/redis-cache.ts';
import { channelOf, subscribeToChanges } from '../../../src/urls/changes/redis-bus.ts';
import { defaultSettings, type ShortUrl } from '../../../src/urls/url.ts';
import { silentLog, useRedis } from '../../support/resources.ts';
import { type Proxy, startProxy } from '../../support/services/proxy.ts';
import { waitUntil } from '../../support/wait-until.ts';

const { redis, prefix, url } = useRedis();
let proxy: Proxy;
/** Ends what a test listens with. */
let ends: (() => Promise<void>)[] = [];

beforeAll(async () => {
  proxy = await startProxy(Number(new URL(url()).port));
});

afterAll(async () => {
  await proxy.close();
});

afterEach(async () => {
  await Promise.all(ends.map((end) => end()));
  ends = [];
});

/** Listens through the proxy, on a channel of its own, and writes down what it hears. */
async function listen(user = '') {
  const own = `${prefix}-${randomUUID()}`;
  const heard: string[] = [];
  const logged: { level: number; msg: string }[] = [];
  const log = pino({ level: 'debug' }, { write: (line: string) => void logged.push(JSON.parse(line)) });
  const subscriber = openRedis('subscriber', `redis://${user}127.0.0.1:${proxy.port}`, silentLog);
  const listener = {
    onChange: (shortCode: string, version: number) => heard.push(`${shortCode} ${version}`),
    onConnected: () => heard.push('hears'),
    onDisconnected: () => heard.push('is deaf'),
  };
  const stop = subscribeToChanges(subscriber, own, listener, log);
  ends.push(async () => {
    stop();
    await closeRedis(subscriber);
  });
  await waitUntil('it hears', () => heard.includes('hears'));
  const announce = async (message: string | Buffer) => await redis().publish(channelOf(own), message);
  let ended = 0;
  return {
    heard,
    logged,
    cache: createRedisUrlCache(redis(), { prefix: own, ttlSeconds: 60 }),
    announce,
    /** All that was heard until now, and that was announced. */
    hearAll: async () => {
      ended += 1;
      const end = `the-end-${ended}`;
      await waitUntil('the last announcement is heard', async () => {
        // What is announced while nobody listens is lost.
        await announce(`1:${end}`);
        return heard.includes(`${end} 1`);
      });
      return heard.filter((one) => !one.startsWith('the-end-'));
    },
  };
}

/** A user of Redis for the test, with all rights until they are set. */
async function makeUser() {
  const user = `listener-${randomUUID()}`;
  const setRights = async (...rights: string[]) => await redis().call('ACL', 'SETUSER', user, ...rights);
  await setRights('on', '>password', '+@all', '~*', '&*');
  ends.push(async () => void (await redis().call('ACL', 'DELUSER', user)));
  return { user, setRights };
}

/** How often Redis refused a command of a user. */
async function countRefusals(user: string): Promise<number> {
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

test('what is created, deleted or disabled is announced with its version, once', async () => {
  const { cache, hearAll } = await listen();
  await cache.create(makeUrl('created', 3));
  await cache.putTombstones([{ shortCode: 'deleted', version: 4 }], 'not_found');
  await cache.putTombstones(
    [
      { shortCode: 'expired-1', version: 5 },
      { shortCode: 'expired-2', version: 6 },
    ],
    'expired',
  );
  expect(await hearAll()).toEqual(['hears', 'created 3', 'deleted 4', 'expired-1 5', 'expired-2 6']);
});

test('what a reader found and put into the cache is not announced', async () => {
  const { cache, hearAll } = await listen();
  await cache.put(makeUrl('code-1', 3));
  await cache.putMany([makeUrl('code-2', 3), makeUrl('code-3', 3)]);
  await cache.putNegative({ shortCode: 'code-4', version: 3 }, 'expired');
  await cache.putUnknown('code-5');
  expect(await hearAll()).toEqual(['hears']);
});

test('a create over a code that is remembered as unknown is announced', async () => {
  const { cache, hearAll } = await listen();
  await cache.putUnknown('code');
  await cache.create(makeUrl('code', 3));
  expect(await hearAll()).toEqual(['hears', 'code 3']);
});

test('a change is announced although a reader has put it into the cache before its writer', async () => {
  const { cache, hearAll } = await listen();
  await cache.put(makeUrl('created', 3));
  await cache.create(makeUrl('created', 3));
  await cache.putNegative({ shortCode: 'deleted', version: 4 }, 'not_found');
  await cache.putTombstones([{ shortCode: 'deleted', version: 4 }], 'not_found');
  expect(await hearAll()).toEqual(['hears', 'created 3', 'deleted 4']);
});

test('once a change is announced, the cache has it', async () => {
  const { cache, heard } = await listen();
  await cache.put(makeUrl('code', 3));
  const other = openRedis('cache', url(), silentLog);
  ends.push(async () => await closeRedis(other));
  const found = waitUntil('it is announced', () => heard.includes('code 4'));
  void cache.putTombstones([{ shortCode: 'code', version: 4 }], 'not_found');
  await found;
  expect(await cache.find('code')).toEqual({ negative: 'not_found', version: 4 });
});

test('a listener whose connection is cut is deaf, and hears again once it is back', async () => {
  const { heard, cache, hearAll } = await listen();
  await proxy.refuse();
  proxy.cut();
  await waitUntil('it is deaf', () => heard.at(-1) === 'is deaf', 1_000);
  await cache.create(makeUrl('missed', 3));
  await proxy.accept();
  await waitUntil('it hears again', () => heard.at(-1) === 'hears', 3_000);
  await cache.create(makeUrl('heard', 4));
  expect(await hearAll()).toEqual(['hears', 'is deaf', 'hears', 'heard 4']);
});

test('what is announced from the moment on in which it hears is heard, however often its connection is cut', async () => {
  const { heard, cache } = await listen();
  for (let version = 1; version <= 10; version++) {
    const before = heard.length;
    proxy.cut();
    await waitUntil('it hears again', () => heard.slice(before).includes('hears'), 3_000);
    await cache.create(makeUrl('code', version));
    await waitUntil('it has heard of it', () => heard.includes(`code ${version}`), 1_000);
  }
});

test('a listener whose connection is half-open is deaf within 4 s, and hears again', async () => {
  const { heard, cache, hearAll } = await listen();
  proxy.goHalfOpen();
  await cache.create(makeUrl('missed', 3));
  await waitUntil('it is deaf', () => heard.includes('is deaf'), 4_000);
  await waitUntil('it hears again', () => heard.at(-1) === 'hears', 3_000);
  await cache.create(makeUrl('heard', 4));
  expect(await hearAll()).toEqual(['hears', 'is deaf', 'hears', 'heard 4']);
});

test('a listener whose Redis refuses to answer is deaf, and hears again once Redis does', async () => {
  const { user, setRights } = await makeUser();
  const { heard, cache, hearAll } = await listen(`${user}:password@`);
  await setRights('-ping');
  await waitUntil('it is deaf', () => heard.at(-1) === 'is deaf', 3_000);
  await setRights('+ping');
  await waitUntil('it hears again', () => heard.at(-1) === 'hears', 3_000);
  await cache.create(makeUrl('heard', 4));
  expect(await hearAll()).toEqual(['hears', 'is deaf', 'hears', 'heard 4']);
});

test('a subscriber that Redis refuses warns once, and says when it is connected again', async () => {
  const { user, setRights } = await makeUser();
  const { heard, logged } = await listen(`${user}:password@`);
  await setRights('-subscribe');
  proxy.cut();
  await waitUntil('Redis has refused it three times', async () => (await countRefusals(user)) >= 3);
  expect(logged.map(({ level, msg }) => [level, msg])).toEqual([
    [40, 'failed to subscribe to the invalidation bus'],
  ]);
  await setRights('+subscribe');
  await waitUntil('it is connected again', () => heard.at(-1) === 'hears');
  expect(logged.slice(1)).toMatchObject([{ level: 30, msg: 'reconnected to the invalidation bus' }]);
});

test('a message that is no announcement changes nothing', async () => {
  const { announce, hearAll } = await listen();
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
  for (const message of messages) await announce(message);
  await announce(Buffer.from([0xff, 0xfe, 0x3a, 0x00]));
  await announce('8:code');
  expect(await hearAll()).toEqual(['hears', 'code 8']);
});

test('a message announces all changes that it names, and passes over what is none', async () => {
  const { announce, hearAll } = await listen();
  await announce('7:first 8:second  x:third 9:fourth');
  expect(await hearAll()).toEqual(['hears', 'first 7', 'second 8', 'fourth 9']);
});
