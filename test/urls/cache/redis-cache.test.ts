import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRedisUrlCache, type RedisUrlCache } from '../../../src/urls/cache/redis-cache.ts';
import { defaultSettings, type ShortUrl } from '../../../src/urls/url.ts';
import { useRedis } from '../../support/resources.ts';

const { redis, prefix } = useRedis();
const ttlSeconds = 1_000;
const openCache = () => createRedisUrlCache(redis(), { prefix, ttlSeconds });

const newCode = () => randomUUID().slice(0, 18);
const keyOf = (code: string) => `${prefix}:url:${code}`;

function makeUrl(shortCode: string, version: number, fields: Partial<ShortUrl> = {}): ShortUrl {
  const now = new Date();
  const originalUrl = `https://example.com/${version}`;
  return {
    id: version,
    shortCode,
    originalUrl,
    createdAt: now,
    updatedAt: now,
    ...defaultSettings,
    createdBy: null,
    isActive: true,
    version,
    ...fields,
  };
}

const notFound = expect.objectContaining({ negative: 'not_found' });

test('a stored short URL is found with its expiry, and any other code is a miss', async () => {
  const cache = openCache();
  const expiresAt = new Date('2099-01-01T00:00:00.123Z');
  const [plain, expiring] = [newCode(), newCode()];
  expect(await cache.put(makeUrl(plain, 7, { originalUrl: 'https://example.com/?a=1,2:3' }))).toBe(true);
  await cache.put(makeUrl(expiring, 8, { expiresAt }));
  expect(await cache.find(plain)).toEqual({
    version: 7,
    url: { id: 7, originalUrl: 'https://example.com/?a=1,2:3', expiresAtMs: null },
  });
  expect(await cache.find(expiring)).toMatchObject({ url: { expiresAtMs: expiresAt.getTime() } });
  expect(await cache.find(newCode())).toBeUndefined();
});

test('only a newer version replaces a value', async () => {
  const cache = openCache();
  const code = newCode();
  expect(await cache.put(makeUrl(code, 9))).toBe(true);
  expect(await cache.put(makeUrl(code, 9, { originalUrl: 'https://example.com/same' }))).toBe(false);
  expect(await cache.put(makeUrl(code, 8))).toBe(false);
  expect(await cache.find(code)).toMatchObject({ url: { originalUrl: 'https://example.com/9' } });
  // Compared as numbers, not as text.
  expect(await cache.put(makeUrl(code, 10))).toBe(true);
  expect(await cache.find(code)).toMatchObject({ url: { id: 10 } });
});

test('a tombstone is replaced by a newer value and not by an older one', async () => {
  const cache = openCache();
  const code = newCode();
  await cache.put(makeUrl(code, 5));
  await cache.putTombstones([{ shortCode: code, version: 6 }], 'not_found');
  expect(await cache.find(code)).toEqual(notFound);
  expect(await cache.put(makeUrl(code, 5))).toBe(false);
  await cache.putTombstones([{ shortCode: code, version: 4 }], 'expired');
  expect(await cache.find(code)).toEqual(notFound);
  expect(await cache.put(makeUrl(code, 7))).toBe(true);
  expect(await cache.find(code)).toMatchObject({ url: { id: 7 } });
});

test('a tombstone contains its reason', async () => {
  const cache = openCache();
  const code = newCode();
  await cache.putTombstones([{ shortCode: code, version: 1 }], 'expired');
  expect(await cache.find(code)).toEqual({ negative: 'expired', version: 1 });
});

test('a negative entry is replaced by any real value, and replaces none', async () => {
  const cache = openCache();
  const code = newCode();
  await cache.putUnknown(code);
  expect(await cache.find(code)).toEqual(notFound);
  expect(await cache.put(makeUrl(code, 1))).toBe(true);
  await cache.putUnknown(code);
  expect(await cache.find(code)).toMatchObject({ url: { id: 1 } });
});

test('versions are compared exactly up to 2^53', async () => {
  const cache = openCache();
  const code = newCode();
  await cache.put(makeUrl(code, Number.MAX_SAFE_INTEGER - 1));
  expect(await cache.put(makeUrl(code, Number.MAX_SAFE_INTEGER - 2))).toBe(false);
  expect(await cache.put(makeUrl(code, Number.MAX_SAFE_INTEGER))).toBe(true);
});

test('putMany stores many values and returns the number of newer ones', async () => {
  const cache = openCache();
  const codes = Array.from({ length: 1_203 }, newCode);
  await cache.putTombstones([{ shortCode: codes[0]!, version: 3 }], 'not_found');
  expect(await cache.putMany(codes.map((code) => makeUrl(code, 2)))).toBe(1_202);
  expect(await cache.putMany([])).toBe(0);
  await cache.putTombstones(
    codes.map((shortCode) => ({ shortCode, version: 4 })),
    'expired',
  );
  expect(await Promise.all(codes.map(cache.find))).toEqual(
    codes.map(() => ({ negative: 'expired', version: 4 })),
  );
});

test('every key has a TTL: the setting plus up to 10 %, or seconds for an unknown code', async () => {
  const cache = openCache();
  const codes = Array.from({ length: 30 }, newCode);
  await cache.putMany(codes.slice(0, 10).map((code) => makeUrl(code, 1)));
  await cache.putTombstones(
    codes.slice(10, 20).map((shortCode) => ({ shortCode, version: 1 })),
    'not_found',
  );
  await Promise.all(codes.slice(20).map(cache.putUnknown));
  const ttls = await Promise.all(codes.map((code) => redis().ttl(keyOf(code))));
  for (const ttl of ttls.slice(0, 20)) {
    expect(ttl).toBeGreaterThan(ttlSeconds - 10);
    expect(ttl).toBeLessThanOrEqual(ttlSeconds * 1.1);
  }
  expect(new Set(ttls.slice(0, 20)).size).toBeGreaterThan(1);
  for (const ttl of ttls.slice(20)) {
    expect(ttl).toBeGreaterThan(0);
    expect(ttl).toBeLessThanOrEqual(10);
  }
});

test.each([
  '',
  ':',
  '1:',
  'garbage',
  '5:1,2',
  '5:x,,https://example.com/',
  '5:1,,',
  '{"id":1}',
  '5:405',
  '7:404x',
])('an invalid value is a miss and is replaced: "%s"', async (value) => {
  const cache = openCache();
  const code = newCode();
  await redis().set(keyOf(code), value, 'EX', 60);
  expect(await cache.find(code)).toBeUndefined();
  expect(await cache.put(makeUrl(code, 10))).toBe(true);
  expect(await cache.find(code)).toMatchObject({ url: { id: 10 } });
});

test('any bytes in Redis are read without an error', async () => {
  const cache = openCache();
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 40 }), async (bytes) => {
      const code = newCode();
      await redis().set(keyOf(code), Buffer.from(bytes), 'EX', 60);
      const entry = await cache.find(code);
      expect(entry === undefined || 'url' in entry || 'negative' in entry).toBe(true);
    }),
    { numRuns: 200 },
  );
});

type Cache = Pick<RedisUrlCache, 'find' | 'put' | 'putTombstones' | 'putUnknown'>;

/** Any interleaving of changes, and of readers between their database read and their cache write. */
const steps = fc.array(
  fc.record({
    kind: fc.constantFrom('create', 'change', 'delete', 'read', 'read', 'settle', 'settle'),
    pick: fc.nat(50),
  }),
  { minLength: 3, maxLength: 30 },
);

/** Runs the steps for one short code. Fails when the cache returns an entry older than an acknowledged change, or is
 *  wrong after all steps. */
async function run(cache: Cache, script: { kind: string; pick: number }[]) {
  const code = newCode();
  let version = 0;
  let row: ShortUrl | undefined;
  /** The version of the last change that its writer has put into the cache. */
  let acknowledged = 0;
  let pending: (() => Promise<void>)[] = [];

  const later = (write: () => Promise<unknown>, written: number) =>
    pending.push(async () => {
      await write();
      acknowledged = Math.max(acknowledged, written);
    });
  const write = () => {
    version += 1;
    const url = makeUrl(code, version);
    row = url;
    later(() => cache.put(url), version);
  };
  const read = async () => {
    if (await cache.find(code)) return;
    const seen = row;
    later(() => (seen ? cache.put(seen) : cache.putUnknown(code)), 0);
  };
  const checkFresh = async () => {
    const entry = await cache.find(code);
    if (entry && 'url' in entry) expect(entry.url.id).toBeGreaterThanOrEqual(acknowledged);
  };

  for (const { kind, pick } of script) {
    if (kind === 'create' && !row) write();
    if (kind === 'change' && row) write();
    if (kind === 'delete' && row) {
      version += 1;
      const tombstone = { shortCode: code, version };
      row = undefined;
      later(() => cache.putTombstones([tombstone], 'not_found'), version);
    }
    if (kind === 'read') await read();
    if (kind === 'settle' && pending.length > 0) await pending.splice(pick % pending.length, 1)[0]!();
    await checkFresh();
  }
  for (const settle of pending) await settle();
  pending = [];
  await checkFresh();
  const entry = await cache.find(code);
  if (entry)
    expect(entry).toEqual(
      row ? expect.objectContaining({ url: expect.objectContaining({ id: row.id }) }) : notFound,
    );
  expect(await redis().ttl(keyOf(code))).not.toBe(-1);
}

const property = (cache: Cache) => fc.asyncProperty(steps, async (script) => await run(cache, script));

test('with any interleaving of slow readers and writers, no acknowledged change is reverted', async () => {
  const result = await fc.check(property(openCache()), { numRuns: 400 });
  expect(fc.defaultReportMessage(result)).toBeUndefined();
});

test('a cache that simply sets and deletes fails the model', async () => {
  const real = openCache();
  const faulty: Cache = {
    find: real.find,
    put: async (url) => {
      await redis().set(keyOf(url.shortCode), `${url.version}:${url.id},,${url.originalUrl}`, 'EX', 60);
      return true;
    },
    putTombstones: async (changes) => {
      await redis().del(...changes.map(({ shortCode }) => keyOf(shortCode)));
    },
    putUnknown: async (code) => {
      await redis().set(keyOf(code), '0:404', 'EX', 10, 'NX');
    },
  };
  const result = await fc.check(property(faulty), { numRuns: 400 });
  expect(result.failed).toBe(true);
});
