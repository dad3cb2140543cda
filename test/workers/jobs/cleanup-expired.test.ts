import { beforeEach, expect, test } from 'vitest';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import { createKeyStore } from '../../../src/keys/key-store.ts';
import { createSessionStore } from '../../../src/sessions/session-store.ts';
import { createRedisUrlCache } from '../../../src/urls/cache/redis-cache.ts';
import { createIdempotencyKeys } from '../../../src/urls/idempotency/key-store.ts';
import { createUrlCleanupStore } from '../../../src/urls/store/cleanup-store.ts';
import { createUrlStore } from '../../../src/urls/store/url-store.ts';
import { cleanupExpired } from '../../../workers/jobs/urls/cleanup-expired.ts';
import { createJobContext } from '../../support/job-context.ts';
import { useDatabase, useRedis } from '../../support/resources.ts';
import { insertUrls } from '../../support/urls/urls.ts';

const database = useDatabase();
const redis = useRedis();
const dayMs = 24 * 3_600_000;
const today = new Date('2030-06-15T12:00:00Z');
const daysAgo = (days: number) => new Date(today.getTime() - days * dayMs);
const retention = { days: 30, codeReuseDays: 90 };

const createDeps = (now = today) => ({
  cleanupStore: createUrlCleanupStore(database.db()),
  urlCache: createRedisUrlCache(redis.redis(), { prefix: redis.prefix, ttlSeconds: 3_600 }),
  idempotencyKeys: createIdempotencyKeys(database.db()),
  sessions: createSessionStore(database.db()),
  now: async () => now,
});
const cleanup = async (now = today) => await cleanupExpired(createDeps(now), retention, createJobContext());
const readCodes = async (where: object = {}): Promise<string[]> =>
  await database.db()('urls').where(where).orderBy('short_code').pluck('short_code');

beforeEach(async () => {
  await database.db()('urls').del();
  await database.db()('returned_keys').del();
});

test('expired short URLs are disabled under a higher version and become tombstones; others stay', async () => {
  await insertUrls(database.db(), { begin: 'over-', count: 3, expiresAt: daysAgo(1) });
  await insertUrls(database.db(), { begin: 'just-over-', count: 1, expiresAt: today });
  await insertUrls(database.db(), { begin: 'soon-', count: 2, expiresAt: daysAgo(-1) });
  await insertUrls(database.db(), { begin: 'never-', count: 2 });
  const { urlCache } = createDeps();
  const urlStore = createUrlStore(database.db());
  const before = (await urlStore.findByCode('over-0'))!;
  await urlCache.put(before);
  await urlCache.put((await urlStore.findByCode('soon-0'))!);

  expect(await cleanup()).toEqual({
    expired: 4,
    purged: 0,
    idempotencyKeys: 0,
    sessions: 0,
    interrupted: false,
  });
  expect(await readCodes({ is_active: false })).toEqual(['just-over-0', 'over-0', 'over-1', 'over-2']);
  expect((await urlStore.findByCode('over-0'))!.version).toBeGreaterThan(before.version);
  for (const code of ['over-0', 'over-2', 'just-over-0'])
    expect(await urlCache.find(code)).toMatchObject({ negative: 'expired' });
  expect(await urlCache.find('soon-0')).toMatchObject({ url: { originalUrl: 'https://example.com/soon-0' } });

  // A slow reader restores nothing.
  expect(await urlCache.put(before)).toBe(false);
  expect(await cleanup()).toEqual({
    expired: 0,
    purged: 0,
    idempotencyKeys: 0,
    sessions: 0,
    status: 'nothing to clean up',
  });
});

test('2,500 expired short URLs are disabled in slices of 1,000, with progress after each', async () => {
  await insertUrls(database.db(), { begin: 'over-', count: 2_500, expiresAt: daysAgo(1) });
  const context = createJobContext();
  expect(await cleanupExpired(createDeps(), retention, context)).toEqual({
    expired: 2_500,
    purged: 0,
    idempotencyKeys: 0,
    sessions: 0,
    interrupted: false,
  });
  expect(context.reported.slice(0, 3)).toEqual([40, 80, 100]);
});

test('two concurrent clean-ups disable each short URL once', async () => {
  await insertUrls(database.db(), { begin: 'over-', count: 3_000, expiresAt: daysAgo(1) });
  const [one, other] = await Promise.all([cleanup(), cleanup()]);
  expect(one.expired + other.expired).toBe(3_000);
  expect(await readCodes({ is_active: true })).toEqual([]);
});

test('expired and deleted short URLs are purged with their counters after the retention', async () => {
  await insertUrls(database.db(), { begin: 'over-long-', count: 2, expiresAt: daysAgo(31) });
  await insertUrls(database.db(), { begin: 'over-', count: 1, expiresAt: daysAgo(29) });
  await insertUrls(database.db(), { begin: 'deleted-long-', count: 1 });
  await insertUrls(database.db(), { begin: 'deleted-', count: 1 });
  await insertUrls(database.db(), { begin: 'disabled-', count: 1 });
  const setDeleted = async (code: string, deletedAt: Date | null) =>
    await database
      .db()('urls')
      .where({ short_code: code })
      .update({ is_active: false, deleted_at: deletedAt });
  await setDeleted('deleted-long-0', daysAgo(31));
  await setDeleted('deleted-0', daysAgo(29));
  await setDeleted('disabled-0', null);

  expect(await cleanup()).toEqual({
    expired: 3,
    purged: 3,
    idempotencyKeys: 0,
    sessions: 0,
    interrupted: false,
  });
  expect(await readCodes()).toEqual(['deleted-0', 'disabled-0', 'over-0']);
  expect(await database.db()('url_stats')).toHaveLength(3);
});

test('a generated code is reusable after CODE_REUSE_AFTER_DAYS, a custom code never', async () => {
  // PostgreSQL's clock decides when a code is reusable.
  const now = new Date();
  const longAgo = new Date(now.getTime() - 31 * dayMs);
  await insertUrls(database.db(), { begin: 'made-', count: 1, expiresAt: longAgo });
  await insertUrls(database.db(), { begin: 'custom-', count: 1, expiresAt: longAgo });
  await database.db()('urls').where({ short_code: 'custom-0' }).update({ code_is_generated: false });
  const keys = createKeyStore(database.db());

  await cleanup(now);
  expect(await readCodes()).toEqual([]);
  expect(await database.db()('returned_keys').pluck('short_code')).toEqual(['made-0']);
  const [resting] = await database.db()('returned_keys');
  expect(resting.available_at).toEqual(new Date(now.getTime() + 90 * dayMs));
  expect(await keys.takeReturned(10)).toEqual([]);

  await database.db()('returned_keys').update({ available_at: now });
  expect(await keys.takeReturned(10)).toEqual(['made-0']);
  expect(await keys.takeReturned(10)).toEqual([]);
});

test('an interrupted clean-up ends after its slice, and the next one does the rest', async () => {
  await insertUrls(database.db(), { begin: 'over-', count: 2_500, expiresAt: daysAgo(1) });
  const context = createJobContext();
  const stopAtFirst = { ...context, reportProgress: async () => context.stop() };
  const stopped = await cleanupExpired(createDeps(), retention, stopAtFirst);
  expect(stopped.interrupted).toBe(true);
  expect(stopped.expired).toBeLessThan(2_500);
  expect(await cleanup()).toEqual({
    expired: 2_500 - stopped.expired,
    purged: 0,
    idempotencyKeys: 0,
    sessions: 0,
    interrupted: false,
  });
});

test('idempotency keys are deleted after a day, in slices', async () => {
  const db = database.db();
  const now = new Date();
  const { id } = await createApiKeys(db).create('cleanup');
  await db.raw(
    `insert into idempotency_keys (api_key_id, key, item, request_hash, result, created_at)
     select :id, case i when 0 then 'fresh' else 'old-' || i end, 0, '', '{}',
       case i when 0 then cast(:fresh as timestamptz) else :old end
     from generate_series(0, 1500) i`,
    { id, old: new Date(now.getTime() - dayMs), fresh: new Date(now.getTime() - dayMs + 60_000) },
  );
  expect(await cleanup(now)).toEqual({
    expired: 0,
    purged: 0,
    idempotencyKeys: 1_500,
    sessions: 0,
    interrupted: false,
  });
  expect(await db('idempotency_keys').pluck('key')).toEqual(['fresh']);
});

test('ended sessions and expired sign-in tokens are removed in slices', async () => {
  const db = database.db();
  const apiKeys = createApiKeys(db);
  const [valid, revoked] = [await apiKeys.create('valid'), await apiKeys.create('revoked')];
  const expired = await apiKeys.create('expired', { expiresAt: daysAgo(-1) });
  await apiKeys.revoke(revoked.id);
  await db('api_keys')
    .where({ id: expired.id })
    .update({ expires_at: new Date(0) });
  await db.raw(
    `insert into sessions (token_hash, api_key_id, expires_at, user_agent)
     select sha256(cast('old-' || i as bytea)), cast(:id as bigint), cast(:past as timestamptz), 'old' from generate_series(1, 1500) i
     union all select 'active', :id, :future, 'active'
     union all select 'revoked', :revoked, :future, 'revoked'
     union all select 'expired', :expired, :future, 'expired'`,
    { id: valid.id, revoked: revoked.id, expired: expired.id, past: today, future: daysAgo(-1) },
  );
  await db.raw(
    `insert into sign_in_tokens (token_hash, api_key_id, expires_at)
     select sha256(cast('old-' || i as bytea)), cast(:id as bigint), cast(:past as timestamptz) from generate_series(1, 1500) i
     union all select 'valid', :id, :future`,
    { id: valid.id, past: today, future: daysAgo(-1) },
  );
  expect(await cleanup()).toMatchObject({ sessions: 1_502, interrupted: false });
  expect(await db('sessions').pluck('user_agent')).toEqual(['active']);
  expect(await db('sign_in_tokens').pluck('token_hash')).toEqual([Buffer.from('valid')]);
});
