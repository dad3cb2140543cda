import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { onlyRow } from '../../../src/storage/postgres/postgres.ts';
import { createUsageLimit } from '../../../src/urls/access/usage-limit.ts';
import { createUsageStore } from '../../../src/urls/access/usage-store.ts';
import { useDatabase } from '../../support/resources.ts';

const { db } = useDatabase();
/** The usage limits of two web processes on the same table. */
const openProcesses = () =>
  [createUsageLimit(createUsageStore(db())), createUsageLimit(createUsageStore(db()))] as const;

async function createLimited(settings: { maxClicks?: number | null; isOneTime?: boolean }): Promise<number> {
  const { maxClicks = null, isOneTime = false } = settings;
  const { id } = onlyRow(
    await db().raw<{ rows: { id: number }[] }>(
      `insert into urls (short_code, original_url, code_is_generated, max_clicks, is_one_time)
       values (gen_random_uuid()::text, 'https://example.com/', true, :maxClicks, :isOneTime) returning id`,
      { maxClicks, isOneTime },
    ),
  );
  return id;
}

const readClicks = async (urlId: number) =>
  (await db()('url_usage').where({ url_id: urlId }).first('clicks'))?.clicks ?? 0;
const setLimit = async (urlId: number, maxClicks: number | null) =>
  await db()('urls').where({ id: urlId }).update({ max_clicks: maxClicks });

async function countGranted(usage: Promise<boolean>[]): Promise<number> {
  return (await Promise.all(usage)).filter(Boolean).length;
}

test('a click limit of 37 grants 37 of 200 concurrent claims in two processes', async () => {
  const urlId = await createLimited({ maxClicks: 37 });
  const processes = openProcesses();
  const claims = Array.from({ length: 200 }, (_, i) => processes[i % 2]!.claim(urlId));
  expect(await countGranted(claims)).toBe(37);
  expect(await processes[0].claim(urlId)).toBe(false);
  expect(await readClicks(urlId)).toBe(37);
});

test('each one-time URL grants exactly one of many concurrent claims', async () => {
  const urlIds = await Promise.all(Array.from({ length: 5 }, () => createLimited({ isOneTime: true })));
  const processes = openProcesses();
  const claims = urlIds.map((urlId) => Array.from({ length: 40 }, (_, i) => processes[i % 2]!.claim(urlId)));
  expect(await Promise.all(claims.map(countGranted))).toEqual([1, 1, 1, 1, 1]);
});

test('a one-time URL can be claimed once', async () => {
  const urlId = await createLimited({ isOneTime: true });
  const [usage] = openProcesses();
  expect(await countGranted([usage.claim(urlId), usage.claim(urlId), usage.claim(urlId)])).toBe(1);
});

test('concurrent claims are granted up to each limit, first come, first served', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 }),
      fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 30 }),
      async (limits, picks) => {
        const urlIds = await Promise.all(limits.map((maxClicks) => createLimited({ maxClicks })));
        const [usage] = openProcesses();
        const indexes = picks.map((pick) => pick % limits.length);
        const granted = await Promise.all(indexes.map((index) => usage.claim(urlIds[index]!)));
        const counts = limits.map(() => 0);
        const expected = indexes.map((index) => ++counts[index]! <= limits[index]!);
        expect(granted).toEqual(expected);
      },
    ),
    { numRuns: 30 },
  );
});

describe('a changed click limit', () => {
  test('applies to the next claim when it is raised', async () => {
    const urlId = await createLimited({ maxClicks: 2 });
    const [usage] = openProcesses();
    expect(await countGranted(Array.from({ length: 10 }, () => usage.claim(urlId)))).toBe(2);
    await setLimit(urlId, 5);
    expect(await usage.hasClicksLeft(urlId)).toBe(true);
    expect(await countGranted(Array.from({ length: 10 }, () => usage.claim(urlId)))).toBe(3);
  });

  test('applies to the next claim when it is lowered below the current usage', async () => {
    const urlId = await createLimited({ maxClicks: 10 });
    const [usage] = openProcesses();
    await countGranted(Array.from({ length: 4 }, () => usage.claim(urlId)));
    await setLimit(urlId, 3);
    expect(await usage.hasClicksLeft(urlId)).toBe(false);
    expect(await usage.claim(urlId)).toBe(false);
    expect(await readClicks(urlId)).toBe(4);
  });

  test('grants every claim when it is removed', async () => {
    const urlId = await createLimited({ maxClicks: 1 });
    const [usage] = openProcesses();
    await usage.claim(urlId);
    await setLimit(urlId, null);
    expect(await usage.hasClicksLeft(urlId)).toBe(true);
    expect(await countGranted(Array.from({ length: 10 }, () => usage.claim(urlId)))).toBe(10);
  });
});

test('hasClicksLeft does not claim a click', async () => {
  const urlId = await createLimited({ maxClicks: 1 });
  const [usage] = openProcesses();
  expect(await usage.hasClicksLeft(urlId)).toBe(true);
  expect(await usage.hasClicksLeft(urlId)).toBe(true);
  expect(await usage.claim(urlId)).toBe(true);
  expect(await usage.hasClicksLeft(urlId)).toBe(false);
});

test('a missing short URL grants no use', async () => {
  const [usage] = openProcesses();
  expect(await usage.claim(987_654_321)).toBe(false);
});
