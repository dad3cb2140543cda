import { expect, test } from 'vitest';
import { openClickStore } from '../../../src/analytics/click-store.ts';
import { partitionName } from '../../../src/analytics/partitions/partition-ddl.ts';
import { createAnalyticsPartitions } from '../../../src/analytics/partitions/partitions.ts';
import { differencesIn } from '../../../src/analytics/rollups/audit.ts';
import { makeDetail, makeDetailedBatch } from '../../support/clicks/analytics.ts';
import { createUrlIds } from '../../support/clicks/clicks.ts';
import { useDatabase } from '../../support/resources.ts';
import { waitUntil } from '../../support/wait-until.ts';

const { db } = useDatabase();
const atMs = Date.parse('2026-11-20T10:00:30Z');
const day = '2026-11-20';

/** The sessions of this database that wait for a lock. */
async function countWaiting(): Promise<number> {
  const { rows } = await db().raw<{ rows: { count: number }[] }>(
    `select cast(count(*) as int) as count from pg_stat_activity
     where datname = current_database() and wait_event_type = 'Lock'`,
  );
  return rows[0]!.count;
}

test('a query that begins while clicks move into a new partition sees all of them', async () => {
  const [urlId] = await createUrlIds(db(), 1);
  const clicks = [{ urlId: urlId!, count: 3, lastAtMs: atMs, detail: makeDetail() }];
  await openClickStore(db()).apply([makeDetailedBatch(clicks)]);

  // A table of the same name makes the change wait where it already has its locks.
  const blocker = await db().transaction();
  await blocker.raw('create table ?? ()', [partitionName(day)]);
  const creating = createAnalyticsPartitions(db()).create(day);
  await waitUntil('the change waits', async () => (await countWaiting()) === 1);
  const reading = db().transaction(async (trx) => await differencesIn(trx));
  await waitUntil('the query waits', async () => (await countWaiting()) === 2);
  await blocker.rollback();

  expect(await creating).toBe('created');
  expect(await reading).toEqual([]);
});
