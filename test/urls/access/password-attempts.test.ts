import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createFixedWindowCounter } from '../../../src/rate-limits/fixed-window.ts';
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
const unreachable = openRedis('cache', 'redis://127.0.0.1:1', silentLog);
beforeAll(async () => {
  await new Promise((resolve) => unreachable.once('close', resolve));
});
afterAll(() => unreachable.disconnect());

let urlId = 0;

describe.each([
  ['with Redis', () => shared.redis()],
  ['while Redis is unreachable', () => unreachable],
])('password attempts %s', (_, redis) => {
  const open = () => {
    const counts = (name: string, windowSeconds: number) =>
      createFixedWindowCounter({
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
  const attemptFrom = (address: string, passwordHash = 'hash') => ({ urlId, passwordHash, address });

  test('are limited per address, and a rejected client learns how long to wait', async () => {
    const attempts = open();
    urlId += 1;
    for (let i = 0; i < attemptsPerNetwork; i++)
      expect(await attempts.begin(attemptFrom('198.51.100.1'))).toBeUndefined();
    const wait = await attempts.begin(attemptFrom('198.51.100.1'));
    expect(wait).toBeGreaterThan(networkWindowSeconds - 60);
    expect(wait).toBeLessThanOrEqual(networkWindowSeconds);
    expect(await attempts.begin(attemptFrom('198.51.100.2'))).toBeUndefined();
    expect(await attempts.begin({ ...attemptFrom('198.51.100.1'), urlId: urlId + 1_000 })).toBeUndefined();
  });

  test('are reset for an address that succeeds, and for all when the password changes', async () => {
    const attempts = open();
    urlId += 1;
    const use = async (hash?: string) => {
      for (let i = 0; i < attemptsPerNetwork; i++)
        expect(await attempts.begin(attemptFrom('198.51.100.1', hash))).toBeUndefined();
    };
    await use();
    await attempts.succeed(attemptFrom('198.51.100.1'));
    await use();
    expect(await attempts.begin(attemptFrom('198.51.100.1'))).toBeDefined();
    await use('another hash');
  });

  test('that could not be checked do not count', async () => {
    const attempts = open();
    urlId += 1;
    for (let i = 0; i < attemptsPerNetwork * 2; i++) {
      expect(await attempts.begin(attemptFrom('198.51.100.1'))).toBeUndefined();
      await attempts.undo(attemptFrom('198.51.100.1'));
    }
  });

  test('are counted per IPv6 network', async () => {
    const attempts = open();
    urlId += 1;
    for (let i = 0; i < attemptsPerNetwork; i++)
      expect(await attempts.begin(attemptFrom(`2001:db8:1:2::${i}`))).toBeUndefined();
    expect(await attempts.begin(attemptFrom('2001:db8:1:2:ffff::1'))).toBeDefined();
    expect(await attempts.begin(attemptFrom('2001:db8:1:3::1'))).toBeUndefined();
  });

  test('of many addresses leave every other address one attempt', async () => {
    const attempts = open();
    urlId += 1;
    for (let i = 0; i < attemptsPerUrl; i++)
      expect(await attempts.begin(attemptFrom(`192.0.2.${i}`))).toBeUndefined();
    expect(await attempts.begin(attemptFrom('192.0.2.0'))).toBeDefined();
    expect(await attempts.begin(attemptFrom('203.0.113.7'))).toBeUndefined();
    expect(await attempts.begin(attemptFrom('203.0.113.7'))).toBeDefined();
  });

  test('beyond the limit of an address do not count against the shared limit', async () => {
    const attempts = open();
    urlId += 1;
    for (let i = 0; i < attemptsPerUrl * 2; i++) await attempts.begin(attemptFrom('198.51.100.1'));
    for (let i = 0; i < attemptsPerNetwork; i++)
      expect(await attempts.begin(attemptFrom('198.51.100.2'))).toBeUndefined();
  });
});

test('Redis stores neither addresses nor anything that reveals them without the hash', async () => {
  const counts = (name: string) =>
    createFixedWindowCounter({
      redis: shared.redis(),
      guard: async (call) => await call(),
      prefix: `${shared.prefix}:stored:${name}`,
      windowSeconds: 60,
    });
  const attempts = createPasswordAttempts({ byNetwork: counts('network'), byUrl: counts('url') });
  const attempt = { urlId: 77, passwordHash: 'one hash', address: '198.51.100.1' };
  await attempts.begin(attempt);
  await attempts.begin({ ...attempt, passwordHash: 'another hash' });
  const keys = await shared.redis().keys(`${shared.prefix}:stored:network:*`);
  expect(keys).toHaveLength(2);
  expect(keys.join()).not.toContain('198.51');
  const ttls = await Promise.all(keys.map((key) => shared.redis().ttl(key)));
  expect(ttls.every((ttl) => ttl > 0 && ttl <= 60)).toBe(true);
});
