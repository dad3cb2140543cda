import { afterEach, expect, inject, test, vi } from 'vitest';
import { openClickStore } from '../../src/analytics/click-store.ts';
import { loadConfig } from '../../src/config/load.ts';
import { workerSettings } from '../../src/config/worker.ts';
import type { JobName } from '../../src/queues/jobs.ts';
import { createProcessors } from '../../workers/registry.ts';
import { makeDetail, makeDetailedBatch, readMetrics, tally } from '../support/clicks/analytics.ts';
import { createUrlIds } from '../support/clicks/clicks.ts';
import { createJobContext } from '../support/job-context.ts';
import { useDatabase, useRedis } from '../support/resources.ts';

const database = useDatabase();
const redis = useRedis();
const dayMs = 86_400_000;

afterEach(() => {
  vi.useRealTimers();
});

/** Runs a job like a worker whose clock is days fast. */
async function runAhead(name: Exclude<JobName, 'rename-tag' | 'fetch-title'>, days: number) {
  const processors = createProcessors({
    config: loadConfig(workerSettings, {
      DATABASE_URL: database.url(),
      REDIS_URL: inject('redisUrl'),
      REDIS_PREFIX: redis.prefix,
    }),
    db: database.db(),
    redis: redis.redis(),
    cacheRedis: redis.redis(),
    hasRoom: () => true,
  });
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + days * dayMs });
  const summary = await processors[name]({}, createJobContext());
  vi.useRealTimers();
  return summary;
}

test('a worker whose clock is a year fast drops no rows of today', async () => {
  const [urlId] = (await createUrlIds(database.db(), 1)) as [number];
  const count = async (visitor: number) => {
    const click = { urlId, count: 1, lastAtMs: Date.now(), detail: makeDetail({ visitor }) };
    await openClickStore(database.db()).apply([makeDetailedBatch([click])]);
    return click;
  };
  const before = await count(1);
  expect(await runAhead('maintain-analytics', 365)).toMatchObject({ created: 9, dropped: 0 });
  const after = await count(2);
  expect(await readMetrics(database.db())).toEqual(tally([before, after]));
});

test('a worker whose clock is a year fast neither disables nor purges a short URL', async () => {
  const [expiring, deleted] = (await createUrlIds(database.db(), 2)) as [number, number];
  const urls = database.db()('urls');
  await urls
    .clone()
    .where({ id: expiring })
    .update({ expires_at: new Date(Date.now() + dayMs) });
  await urls.clone().where({ id: deleted }).update({ is_active: false, deleted_at: new Date() });
  expect(await runAhead('cleanup-expired', 365)).toMatchObject({ expired: 0, purged: 0 });
});
