import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createWindowCounts } from '../../../src/rate-limits/fixed-window.ts';
import { openRedis } from '../../../src/storage/redis/redis.ts';
import {
  createPasswordAttempts,
  networkWindowSeconds,
  attemptsPerNetwork,
  attemptsPerUrl,
  urlWindowSeconds,
} from '../../../src/urls/access/password-attempts.ts';
import { silentLog, useRedis } from '../../support/resources.ts';

const shared = useRedis();
const away = openRedis('cache', 'redis://127.0.0.1:1', silentLog);
beforeAll(async () => {
  await new Promise((resolve) => away.once('close', resolve));
});
afterAll(() => away.disconnect());

let urlId = 0;

describe.each([
  ['with Redis', () => shared.redis()],
  ['while Redis is away', () => away],
])('tries at a password, %s', (_, redis) => {
  const open = () => {
    const counts = (name: string, windowSeconds: number) =>
      createWindowCounts({
        redis: redis(),
        guard: async (call) => await call(),
        prefix: `${shared.prefix}:${name}`,
        windowSeconds,
      });
    return createPasswordAttempts({
      byNetwork: counts('network', networkWindowSeconds),
      byUrl: counts('url', urlWindowSeconds),
    });
  };
  const tryFrom = (address: string, passwordHash = 'hash') => ({ urlId, passwordHash, address });

  test('from one address are limited, and who is refused is told for how long', async () => {
    const tries = open();
    urlId += 1;
    for (let i = 0; i < attemptsPerNetwork; i++)
      expect(await tries.begin(tryFrom('198.51.100.1'))).toBeUndefined();
    const wait = await tries.begin(tryFrom('198.51.100.1'));
    expect(wait).toBeGreaterThan(networkWindowSeconds - 60);
    expect(wait).toBeLessThanOrEqual(networkWindowSeconds);
    expect(await tries.begin(tryFrom('198.51.100.2'))).toBeUndefined();
    expect(await tries.begin({ ...tryFrom('198.51.100.1'), urlId: urlId + 1_000 })).toBeUndefined();
  });

  test('are free again for an address that knew the password, and for all when the password is another', async () => {
    const tries = open();
    urlId += 1;
    const use = async (hash?: string) => {
      for (let i = 0; i < attemptsPerNetwork; i++)
        expect(await tries.begin(tryFrom('198.51.100.1', hash))).toBeUndefined();
    };
    await use();
    await tries.succeed(tryFrom('198.51.100.1'));
    await use();
    expect(await tries.begin(tryFrom('198.51.100.1'))).toBeDefined();
    await use('another hash');
  });

  test('that nobody had the time to check are none', async () => {
    const tries = open();
    urlId += 1;
    for (let i = 0; i < attemptsPerNetwork * 2; i++) {
      expect(await tries.begin(tryFrom('198.51.100.1'))).toBeUndefined();
      await tries.undo(tryFrom('198.51.100.1'));
    }
  });

  test('are shared by the addresses of one IPv6 network', async () => {
    const tries = open();
    urlId += 1;
    for (let i = 0; i < attemptsPerNetwork; i++)
      expect(await tries.begin(tryFrom(`2001:db8:1:2::${i}`))).toBeUndefined();
    expect(await tries.begin(tryFrom('2001:db8:1:2:ffff::1'))).toBeDefined();
    expect(await tries.begin(tryFrom('2001:db8:1:3::1'))).toBeUndefined();
  });

  test('of many addresses together leave each other one with one, so that nobody locks others out', async () => {
    const tries = open();
    urlId += 1;
    for (let i = 0; i < attemptsPerUrl; i++)
      expect(await tries.begin(tryFrom(`192.0.2.${i}`))).toBeUndefined();
    expect(await tries.begin(tryFrom('192.0.2.0'))).toBeDefined();
    expect(await tries.begin(tryFrom('203.0.113.7'))).toBeUndefined();
    expect(await tries.begin(tryFrom('203.0.113.7'))).toBeDefined();
  });

  test('of an address beyond its own take nothing from what others have', async () => {
    const tries = open();
    urlId += 1;
    for (let i = 0; i < attemptsPerUrl * 2; i++) await tries.begin(tryFrom('198.51.100.1'));
    for (let i = 0; i < attemptsPerNetwork; i++)
      expect(await tries.begin(tryFrom('198.51.100.2'))).toBeUndefined();
  });
});

test('no address is to be found in Redis, nor what it could be told from without the hash', async () => {
  const counts = (name: string) =>
    createWindowCounts({
      redis: shared.redis(),
      guard: async (call) => await call(),
      prefix: `${shared.prefix}:stored:${name}`,
      windowSeconds: 60,
    });
  const tries = createPasswordAttempts({ byNetwork: counts('network'), byUrl: counts('url') });
  const attempt = { urlId: 77, passwordHash: 'one hash', address: '198.51.100.1' };
  await tries.begin(attempt);
  await tries.begin({ ...attempt, passwordHash: 'another hash' });
  const keys = await shared.redis().keys(`${shared.prefix}:stored:network:*`);
  expect(keys).toHaveLength(2);
  expect(keys.join()).not.toContain('198.51');
  const ttls = await Promise.all(keys.map((key) => shared.redis().ttl(key)));
  expect(ttls.every((ttl) => ttl > 0 && ttl <= 60)).toBe(true);
});
