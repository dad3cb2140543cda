import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { onlyRow } from '../../../src/storage/postgres/postgres.ts';
import { createUsageLimit } from '../../../src/urls/access/usage-limit.ts';
import { createUsageStore } from '../../../src/urls/access/usage-store.ts';
import { useDatabase } from '../../support/resources.ts';

const { db } = useDatabase();
/** Two web processes' ways to the same table. */
const openBoth = () =>
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

const readUsed = async (urlId: number) =>
  (await db()('url_uses').where({ url_id: urlId }).first('used'))?.used ?? 0;
const setLimit = async (urlId: number, maxClicks: number | null) =>
  await db()('urls').where({ id: urlId }).update({ max_clicks: maxClicks });

async function countGranted(uses: Promise<boolean>[]): Promise<number> {
  return (await Promise.all(uses)).filter(Boolean).length;
}

test('a limit of 37 is used 37 times by 200 visitors of two processes at once, and never again', async () => {
  const urlId = await createLimited({ maxClicks: 37 });
  const both = openBoth();
  const asked = Array.from({ length: 200 }, (_, i) => both[i % 2]!.claim(urlId));
  expect(await countGranted(asked)).toBe(37);
  expect(await both[0].claim(urlId)).toBe(false);
  expect(await readUsed(urlId)).toBe(37);
});

test('of many visitors who want one-time URLs at once exactly one gets each', async () => {
  const urlIds = await Promise.all(Array.from({ length: 5 }, () => createLimited({ isOneTime: true })));
  const both = openBoth();
  const asked = urlIds.map((urlId) => Array.from({ length: 40 }, (_, i) => both[i % 2]!.claim(urlId)));
  expect(await Promise.all(asked.map(countGranted))).toEqual([1, 1, 1, 1, 1]);
});

test('a one-time URL is used once', async () => {
  const urlId = await createLimited({ isOneTime: true });
  const [uses] = openBoth();
  expect(await countGranted([uses.claim(urlId), uses.claim(urlId), uses.claim(urlId)])).toBe(1);
});

test('whatever visitors ask for at once, each short URL is used as often as it may be, and those who came first go first', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 }),
      fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 30 }),
      async (limits, wishes) => {
        const urlIds = await Promise.all(limits.map((maxClicks) => createLimited({ maxClicks })));
        const [uses] = openBoth();
        const places = wishes.map((wish) => wish % limits.length);
        const granted = await Promise.all(places.map((place) => uses.claim(urlIds[place]!)));
        const seen = limits.map(() => 0);
        const expected = places.map((place) => ++seen[place]! <= limits[place]!);
        expect(granted).toEqual(expected);
      },
    ),
    { numRuns: 30 },
  );
});

describe('a limit that is changed', () => {
  test('holds from the next use on when it is raised', async () => {
    const urlId = await createLimited({ maxClicks: 2 });
    const [uses] = openBoth();
    expect(await countGranted(Array.from({ length: 10 }, () => uses.claim(urlId)))).toBe(2);
    await setLimit(urlId, 5);
    expect(await uses.hasUsesLeft(urlId)).toBe(true);
    expect(await countGranted(Array.from({ length: 10 }, () => uses.claim(urlId)))).toBe(3);
  });

  test('holds from the next use on when it is lowered below what was used', async () => {
    const urlId = await createLimited({ maxClicks: 10 });
    const [uses] = openBoth();
    await countGranted(Array.from({ length: 4 }, () => uses.claim(urlId)));
    await setLimit(urlId, 3);
    expect(await uses.hasUsesLeft(urlId)).toBe(false);
    expect(await uses.claim(urlId)).toBe(false);
    expect(await readUsed(urlId)).toBe(4);
  });

  test('stops nobody once it is taken away', async () => {
    const urlId = await createLimited({ maxClicks: 1 });
    const [uses] = openBoth();
    await uses.claim(urlId);
    await setLimit(urlId, null);
    expect(await uses.hasUsesLeft(urlId)).toBe(true);
    expect(await countGranted(Array.from({ length: 10 }, () => uses.claim(urlId)))).toBe(10);
  });
});

test('asking whether a use is left takes none', async () => {
  const urlId = await createLimited({ maxClicks: 1 });
  const [uses] = openBoth();
  expect([await uses.hasUsesLeft(urlId), await uses.hasUsesLeft(urlId)]).toEqual([true, true]);
  expect(await uses.claim(urlId)).toBe(true);
  expect(await uses.hasUsesLeft(urlId)).toBe(false);
});

test('a short URL that is gone grants no use', async () => {
  const [uses] = openBoth();
  expect(await uses.claim(987_654_321)).toBe(false);
});
