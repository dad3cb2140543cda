import { v7 as uuidv7 } from 'uuid';
import { beforeEach, expect, test } from 'vitest';
import { openClickStore } from '../../../src/analytics/click-store.ts';
import { isExact, readAudit } from '../../../src/clicks/ledger/audit.ts';
import { cleanupLedger } from '../../../workers/jobs/clicks/cleanup-ledger.ts';
import { createUrlIds, resetLedger, makeBatch } from '../../support/clicks/clicks.ts';
import { createJobContext } from '../../support/job-context.ts';
import { useDatabase } from '../../support/resources.ts';

const { db } = useDatabase();
const deps = () => ({ clickStore: openClickStore(db()) });
const cleanUp = async (context = createJobContext()) => await cleanupLedger(deps(), 90, context);

beforeEach(async () => {
  await resetLedger(db());
  const [url] = (await createUrlIds(db(), 1)) as [number];
  await deps().clickStore.apply([makeBatch(uuidv7(), 1, url)]);
});

/** Inserts producers with one counted click each, last seen `daysAgo`. */
async function insertProducers(count: number, daysAgo: number) {
  await db().raw(
    `insert into click_producers (producer, applied_through, batches, clicks, accepted, last_applied_at, reported_at)
     select gen_random_uuid(), 1, 1, 1, 1, at, at
     from generate_series(1, :count), (select now() - make_interval(days => :daysAgo) as at) as heard`,
    { count, daysAgo },
  );
  await db()('url_stats').increment('click_count', count);
}

test('idle producers are removed in slices with progress, and the audit stays exact', async () => {
  await insertProducers(2_500, 91);
  await insertProducers(3, 89);
  const before = await readAudit(db());
  const context = createJobContext();
  expect(await cleanUp(context)).toEqual({ removed: 2_500, interrupted: false });
  expect(context.reported.slice(0, 3)).toEqual([40, 80, 100]);
  const after = await readAudit(db());
  expect(isExact(after)).toBe(true);
  expect(after.producers).toBe(4);
  expect(after.accepted).toBe(before.accepted);
  expect(after.counted).toBe(before.counted);
});

test('without idle producers there is nothing to clean up', async () => {
  await insertProducers(3, 89);
  expect(await cleanUp()).toEqual({ removed: 0, status: 'nothing to clean up' });
});

test('an interrupted clean-up ends after its slice, and the next one does the rest', async () => {
  await insertProducers(2_500, 91);
  const context = createJobContext();
  const stopAtFirst = { ...context, reportProgress: async () => context.stop() };
  expect(await cleanupLedger(deps(), 90, stopAtFirst)).toEqual({ removed: 1_000, interrupted: true });
  expect(isExact(await readAudit(db()))).toBe(true);
  expect(await cleanUp()).toEqual({ removed: 1_500, interrupted: false });
});

test('three concurrent clean-ups remove each producer once', async () => {
  await insertProducers(2_500, 91);
  const results = await Promise.all([cleanUp(), cleanUp(), cleanUp()]);
  expect(results.reduce((sum, { removed }) => sum + removed, 0)).toBe(2_500);
  const audit = await readAudit(db());
  expect(isExact(audit)).toBe(true);
  expect(audit.removed).toEqual({ accepted: 2_500, counted: 2_500 });
});
