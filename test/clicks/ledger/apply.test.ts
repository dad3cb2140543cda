import fc from 'fast-check';
import { v7 as uuidv7 } from 'uuid';
import { expect, test } from 'vitest';
import { openClickStore } from '../../../src/analytics/click-store.ts';
import type { Batch } from '../../../src/clicks/click-batch.ts';
import { onlyRow } from '../../../src/storage/postgres/postgres.ts';
import { endLocked } from '../../support/locks.ts';
import { useDatabase } from '../../support/resources.ts';
import { waitUntil } from '../../support/wait-until.ts';

const { db } = useDatabase();
const atMs = 1_700_000_000_000;

/** Inserts short URLs with counters; resolves to their IDs. */
async function createUrls(count: number): Promise<number[]> {
  const { rows } = await db().raw<{ rows: { url_id: number }[] }>(
    `with u as (
       insert into urls (short_code, original_url, code_is_generated)
       select gen_random_uuid()::text, 'https://example.com/', true from generate_series(1, :count) returning id
     )
     insert into url_stats (url_id) select id from u returning url_id`,
    { count },
  );
  return rows.map((row) => row.url_id);
}

async function readCounts(urlIds: number[]): Promise<number[]> {
  const rows = await db()('url_stats').whereIn('url_id', urlIds).select('url_id', 'click_count');
  const counts = new Map(rows.map((row) => [row.url_id, row.click_count]));
  return urlIds.map((id) => counts.get(id) ?? -1);
}

async function readLedger(producer: string) {
  const entry = await db()('click_producers')
    .where({ producer })
    .first('applied_through', 'batches', 'clicks');
  const rows = await db()('click_out_of_order_batches').where({ producer }).orderBy('seq');
  return entry && { ...entry, outOfOrder: rows.map((row) => row.seq) };
}

async function countDeadlocks(): Promise<number> {
  const sql =
    'select pg_stat_get_db_deadlocks(oid) as count from pg_database where datname = current_database()';
  return onlyRow(await db().raw<{ rows: { count: number }[] }>(sql)).count;
}

const makeBatch = (producer: string, seq: number, clicks: [urlId: number, count: number][]): Batch => ({
  producer,
  seq,
  accepted: seq,
  clicks: clicks.map(([urlId, count]) => ({ urlId, count, lastAtMs: atMs + seq })),
});

function expectedCounts(urlIds: number[], batches: Iterable<Batch>): number[] {
  const clicks = [...batches].flatMap((batch) => batch.clicks);
  return urlIds.map((id) => clicks.reduce((sum, click) => (click.urlId === id ? sum + click.count : sum), 0));
}

test('a batch updates counters, last access times and the ledger', async () => {
  const store = openClickStore(db());
  const [one, two] = (await createUrls(2)) as [number, number];
  const producer = uuidv7();
  const batches = [
    makeBatch(producer, 2, [[one, 1]]),
    makeBatch(producer, 1, [
      [one, 3],
      [two, 2],
      [one, 4],
    ]),
  ];
  expect(await store.apply(batches)).toMatchObject({ batches: 2, clicks: 10, urls: 2, duplicates: 0 });
  expect(await readCounts([one, two])).toEqual([8, 2]);
  const times = await db()('url_stats').whereIn('url_id', [one, two]).orderBy('url_id');
  expect(times.map((row) => row.last_accessed_at?.getTime())).toEqual([atMs + 2, atMs + 1]);
  expect(await readLedger(producer)).toEqual({ applied_through: 2, batches: 2, clicks: 10, outOfOrder: [] });
});

test('a late batch does not set the last access time back', async () => {
  const store = openClickStore(db());
  const [url] = (await createUrls(1)) as [number];
  await store.apply([makeBatch(uuidv7(), 500, [[url, 1]])]);
  await store.apply([makeBatch(uuidv7(), 1, [[url, 1]])]);
  const row = await db()('url_stats').where({ url_id: url }).first();
  expect(row?.last_accessed_at?.getTime()).toBe(atMs + 500);
});

test('a duplicate batch changes nothing, alone, beside new batches or twice in one call', async () => {
  const store = openClickStore(db());
  const [url] = (await createUrls(1)) as [number];
  const producer = uuidv7();
  const [first, second] = [makeBatch(producer, 1, [[url, 1]]), makeBatch(producer, 2, [[url, 10]])];
  await store.apply([first]);
  expect(await store.apply([first])).toMatchObject({ batches: 0, clicks: 0, urls: 0, duplicates: 1 });
  expect(await store.apply([first, second, second])).toMatchObject({
    batches: 1,
    clicks: 10,
    urls: 1,
    duplicates: 2,
  });
  expect(await readCounts([url])).toEqual([11]);
});

test('applying no batches succeeds', async () => {
  expect(await openClickStore(db()).apply([])).toMatchObject({
    batches: 0,
    clicks: 0,
    urls: 0,
    duplicates: 0,
  });
});

test('concurrent, repeated and out-of-order batches leave counters and ledger exact', async () => {
  const store = openClickStore(db());
  const urlIds = await createUrls(4);
  const soFar: Batch[] = [];
  const identity = fc.record({ producer: fc.nat(2), seq: fc.integer({ min: 1, max: 9 }) });
  const call = fc.array(identity, { maxLength: 8 });
  // The calls of a round run concurrently.
  const rounds = fc.array(fc.array(call, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(
      rounds,
      fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 9, maxLength: 9 }),
      async (given, sizes) => {
        const producers = [uuidv7(), uuidv7(), uuidv7()];
        const all = new Map<string, Batch>();
        const batchOf = ({ producer, seq }: { producer: number; seq: number }) => {
          const clicks: [number, number][] = [
            [urlIds[(seq + producer) % 4]!, sizes[seq - 1]!],
            [urlIds[(seq * 3) % 4]!, producer + 1],
          ];
          const batch = makeBatch(producers[producer]!, seq, clicks);
          all.set(`${producer} ${seq}`, batch);
          return batch;
        };
        let counted = 0;
        let duplicates = 0;
        for (const round of given) {
          const results = await Promise.all(round.map((one) => store.apply(one.map(batchOf))));
          for (const result of results) {
            counted += result.batches;
            duplicates += result.duplicates;
          }
        }
        expect(counted).toBe(all.size);
        expect(duplicates).toBe(given.flat(2).length - all.size);
        soFar.push(...all.values());
        expect(await readCounts(urlIds)).toEqual(expectedCounts(urlIds, soFar));
        for (const producer of producers) {
          const own = [...all.values()].filter((batch) => batch.producer === producer);
          const seqs = new Set(own.map((batch) => batch.seq));
          let through = 0;
          while (seqs.has(through + 1)) through += 1;
          const clicks = own.flatMap((batch) => batch.clicks).reduce((sum, click) => sum + click.count, 0);
          const outOfOrder = [...seqs].filter((seq) => seq > through).toSorted((a, b) => a - b);
          expect(await readLedger(producer)).toEqual(
            own.length === 0
              ? undefined
              : { applied_through: through, batches: own.length, clicks, outOfOrder },
          );
        }
      },
    ),
    { numRuns: 40 },
  );
});

/** Returns rotations of the items, every other one reversed. */
function ordersOf<T>(items: T[], count: number): T[][] {
  return Array.from({ length: count }, (_, k) => {
    const at = Math.floor((k * items.length) / count);
    const turned = [...items.slice(at), ...items.slice(0, at)];
    return k % 2 === 0 ? turned : turned.toReversed();
  });
}

/** Applies batches like workers: retries when PostgreSQL times out waiting for a lock, which takes 10 s. */
const applyWithRetry = async (store: ReturnType<typeof openClickStore>, batches: Batch[]) =>
  await waitUntil('the batches are applied', async () => await store.apply(batches), 60_000);

test('workers that apply the same batches concurrently never deadlock and count each once', async () => {
  const store = openClickStore(db());
  const urlIds = await createUrls(20);
  const deadlocks = await countDeadlocks();
  const batches = Array.from({ length: 400 }, () => uuidv7()).flatMap((producer, p) =>
    [1, 2].map((seq) =>
      makeBatch(producer, seq, [
        [urlIds[(p + seq) % 20]!, 1 + (p % 3)],
        [urlIds[(p * 7) % 20]!, 1],
      ]),
    ),
  );
  const parts = ordersOf(batches, 16).map((order) => order.slice(0, 500));
  const results = await Promise.all(parts.map((part) => applyWithRetry(store, part)));
  expect(results.reduce((sum, result) => sum + result.batches, 0)).toBe(800);
  expect(await readCounts(urlIds)).toEqual(expectedCounts(urlIds, batches));
  expect(await countDeadlocks()).toBe(deadlocks);
});

test('workers that count on the same short URLs concurrently never deadlock or lose clicks', async () => {
  const store = openClickStore(db());
  const urlIds = await createUrls(200);
  const deadlocks = await countDeadlocks();
  const batches = ordersOf(urlIds, 40).map((order) =>
    makeBatch(
      uuidv7(),
      1,
      order.slice(0, 150).map((id): [number, number] => [id, 1]),
    ),
  );
  await Promise.all(batches.map((batch) => applyWithRetry(store, [batch])));
  expect(await readCounts(urlIds)).toEqual(expectedCounts(urlIds, batches));
  expect(await countDeadlocks()).toBe(deadlocks);
});

test('an aborted transaction leaves nothing, and the next one counts the same batches', async () => {
  const store = openClickStore(db());
  const [free, held] = (await createUrls(2)) as [number, number];
  const producer = uuidv7();
  const batches = [
    makeBatch(producer, 1, [
      [free, 5],
      [held, 5],
    ]),
    makeBatch(producer, 3, [[free, 1]]),
  ];
  const unreadable = { source: `dies ${producer}`, payload: 'x' };
  const holder = await db().transaction();
  await holder.raw('select from url_stats where url_id = ? for update', [held]);
  const attempt = store.apply(batches, [unreadable]).then(
    () => 'applied',
    () => 'failed',
  );
  await endLocked(db(), 'terminate');
  expect(await attempt).toBe('failed');
  await holder.rollback();
  expect(await readCounts([free, held])).toEqual([0, 0]);
  expect(await readLedger(producer)).toBeUndefined();
  expect(await db()('click_dead_letters').where({ source: unreadable.source })).toEqual([]);

  expect(await store.apply(batches, [unreadable])).toMatchObject({ batches: 2, clicks: 11, duplicates: 0 });
  expect(await readCounts([free, held])).toEqual([6, 5]);
  expect(await readLedger(producer)).toMatchObject({ applied_through: 1, outOfOrder: [3] });
});

test('an unreadable entry becomes one dead letter, and batches beside it are counted', async () => {
  const store = openClickStore(db());
  const [url] = (await createUrls(1)) as [number];
  const entry = { source: `stream 0 entry ${uuidv7()}`, payload: '["a\\u0000","\u{1f648}"]' };
  const batch = makeBatch(uuidv7(), 1, [[url, 2]]);
  await Promise.all([store.apply([batch], [entry]), store.apply([], [entry])]);
  await store.apply([], [entry, { ...entry, payload: 'another' }]);
  const rows = await db()('click_dead_letters').where({ source: entry.source });
  expect(rows).toHaveLength(1);
  expect(rows[0]).toMatchObject({ reason: 'unreadable', payload: entry.payload });
  expect(await readCounts([url])).toEqual([2]);
});

test('clicks on a purged short URL do not affect other clicks of the batch', async () => {
  const store = openClickStore(db());
  const [purged, there] = (await createUrls(2)) as [number, number];
  await db()('urls').where({ id: purged }).delete();
  const producer = uuidv7();
  await store.apply([
    makeBatch(producer, 1, [
      [purged, 3],
      [there, 4],
    ]),
  ]);
  expect(await readCounts([there])).toEqual([4]);
  expect(await readLedger(producer)).toMatchObject({ applied_through: 1, clicks: 7 });
});

test('closing a gap moves the watermark over thousands of batches up to the next gap', async () => {
  const store = openClickStore(db());
  const [url] = (await createUrls(1)) as [number];
  const producer = uuidv7();
  const seqs = Array.from({ length: 2_600 }, (_, i) => i + 2).filter((seq) => seq !== 2_500);
  await store.apply(seqs.map((seq) => makeBatch(producer, seq, [[url, 1]])));
  expect(await readLedger(producer)).toMatchObject({ applied_through: 0 });
  await store.apply([makeBatch(producer, 1, [[url, 1]])]);
  const ledger = await readLedger(producer);
  const { applied_through, outOfOrder } = ledger!;
  expect(applied_through).toBe(2_499);
  expect(outOfOrder).toHaveLength(101);
  expect(outOfOrder[0]).toBe(2_501);
  expect(await readCounts([url])).toEqual([2_600]);
});
