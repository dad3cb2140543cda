import { afterEach, expect, test } from 'vitest';
import { createEpochStamp } from '../../../src/epoch/epoch-stamp.ts';
import { createEpochStore } from '../../../src/epoch/epoch-store.ts';
import { createEpochWatch } from '../../../src/epoch/epoch-watch.ts';
import { createCurrentEpoch } from '../../../src/epoch/epoch.ts';
import { type Knex, openPostgres } from '../../../src/storage/postgres/postgres.ts';
import { migrate } from '../../../src/storage/schema/migrations.ts';
import { createUrlIds } from '../../support/clicks/clicks.ts';
import { silentLog, uniquePrefix, useRedis } from '../../support/resources.ts';
import { startTestPostgres, type TestServer } from '../../support/services/servers.ts';
import { waitUntil } from '../../support/wait-until.ts';

const redis = useRedis();
let server: TestServer | undefined;
let db: Knex | undefined;

afterEach(async () => {
  await db?.destroy();
  await server?.stop();
});

test('a PostgreSQL crash that loses the last commits does not begin a new epoch', async () => {
  // Commits reach the disk asynchronously, shortly after their confirmation.
  server = await startTestPostgres({ keepsCommits: false });
  db = openPostgres({ url: server.url, poolMax: 8, queryTimeoutMs: 60_000, connectMs: 60_000, name: 'test' });
  await migrate(db, { waitMs: 60_000, report: () => undefined });
  const on = db;
  const stamp = createEpochStamp(redis.redis(), `${redis.prefix}-${uniquePrefix()}`);
  const startProcess = () => {
    const current = createCurrentEpoch();
    const endProcess = () => undefined;
    return createEpochWatch({ store: createEpochStore(on), stamp, current, endProcess, log: silentLog });
  };
  const processes = Array.from({ length: 3 }, startProcess);
  let lostVersions = 0;
  for (let crash = 0; crash < 6; crash++) {
    const crashed = new AbortController();
    const writing = Promise.all(
      Array.from({ length: 3 }, async () => {
        while (!crashed.signal.aborted) await createUrlIds(on, 20).catch(() => undefined);
      }),
    );
    const looks = Promise.all(
      processes.map(async (process) => {
        while (!crashed.signal.aborted) await process.check().catch(() => undefined);
      }),
    );
    const start = performance.now();
    let seen = 0;
    await waitUntil('the crash is due', async () => {
      seen = (await createEpochStore(on).read()).version;
      return performance.now() - start > 700 + 100 * crash;
    });
    await server.kill();
    crashed.abort();
    await Promise.all([writing, looks]);
    await server.start();
    const version = await waitUntil('PostgreSQL answers', async () => {
      return await createEpochStore(on)
        .read()
        .then((epoch) => epoch.version)
        .catch(() => undefined);
    });
    if (version < seen) lostVersions += 1;
    for (const process of processes) expect(await process.check()).toBe('own');
    expect(await on('database_epochs').pluck('number')).toEqual([1]);
  }
  // Without a lost commit, this test proves nothing.
  expect(lostVersions).toBeGreaterThan(0);
});
