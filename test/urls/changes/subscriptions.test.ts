import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { hasDebianPackages } from '../../../scripts/services/debian-packages.ts';
import { createConditions } from '../../../src/resilience/conditions.ts';
import { watchSubscriptions } from '../../../src/urls/changes/subscriptions.ts';
import { type Client, createClient } from '../../support/http/client.ts';
import { startWeb, type TestProcess } from '../../support/processes/processes.ts';
import { type Proxy, startProxy } from '../../support/proxy/proxy.ts';
import { silentLog, storeSettings, useDatabase, useRedis } from '../../support/resources.ts';
import { startPgBouncer } from '../../support/services/pgbouncer.ts';
import { waitUntil } from '../../support/wait-until.ts';

const database = useDatabase();
const redis = useRedis();
let proxy: Proxy;
let web: TestProcess & { baseUrl: string };
let client: Client;

beforeAll(async () => {
  const direct = new URL(database.url());
  proxy = await startProxy(Number(direct.port));
  direct.port = String(proxy.port);
  web = await startWeb({
    ...storeSettings(database, redis),
    DATABASE_DIRECT_URL: direct.href,
    METRICS_PUBLIC: 'true',
  });
  client = createClient(web.baseUrl);
});
afterAll(async () => {
  await web.stop();
  await proxy.close();
});

const readReason = async (of: Client): Promise<string | undefined> => {
  const { conditions } = (await of.get('/health')).body as { conditions: { code: string; reason: string }[] };
  return conditions.find(({ code }) => code === 'changes_unheard')?.reason;
};
const readMetric = async (subscription: string) => {
  const text = await (await fetch(`${web.baseUrl}/metrics`)).text();
  return new RegExp(`^linkmill_subscription_up{subscription="${subscription}"} (\\d)$`, 'm').exec(text)?.[1];
};

test('a process that PostgreSQL answers and does not notify says so until it listens again', async () => {
  await waitUntil('both subscriptions are active', async () => (await readMetric('notifications')) === '1');
  expect(await readMetric('invalidation_bus')).toBe('1');
  expect(await readReason(client)).toBeUndefined();

  await proxy.refuse();
  proxy.cut();
  const reason = await waitUntil('the loss is reported', async () => await readReason(client));
  expect(reason).toContain('no connection that listens');
  expect(reason).not.toContain('Redis');
  expect([await readMetric('notifications'), await readMetric('invalidation_bus')]).toEqual(['0', '1']);

  await proxy.accept();
  await waitUntil('it has ended', async () => (await readReason(client)) === undefined);
  expect(await readMetric('notifications')).toBe('1');
});

test(
  'PgBouncer in transaction mode, which passes no notifications on, is reported',
  { skip: !hasDebianPackages() },
  async () => {
    const bouncer = await startPgBouncer(database.url(), { poolSize: 5 });
    const behind = await startWeb({ ...storeSettings(database, redis), DATABASE_DIRECT_URL: bouncer.url });
    try {
      const reason = await waitUntil(
        'it is reported',
        async () => await readReason(createClient(behind.baseUrl)),
      );
      expect(reason).toContain('DATABASE_DIRECT_URL');
    } finally {
      await behind.stop();
      await bouncer.stop();
    }
  },
);

test.each([
  { hasOwnCache: true, codes: ['redis_cache_unusable', 'redis_unavailable'] as const },
  { hasOwnCache: false, codes: ['redis_unavailable', 'redis_cache_unusable'] as const },
])(
  'of the two Redis services, that of the cache explains a lost bus if there is one: %j',
  ({ hasOwnCache, codes }) => {
    vi.useFakeTimers();
    try {
      const reported = codes.map((code) => {
        const conditions = createConditions(silentLog);
        conditions.set(code, 'away');
        const watch = watchSubscriptions(conditions, ['invalidation_bus'], { hasOwnCache });
        vi.advanceTimersByTime(10_000);
        watch.stop();
        return conditions.list().some((one) => one.code === 'changes_unheard');
      });
      expect(reported).toEqual([false, true]);
    } finally {
      vi.useRealTimers();
    }
  },
);
