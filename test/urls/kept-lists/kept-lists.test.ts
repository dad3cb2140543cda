import fc from 'fast-check';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import { readFrom } from '../../../src/storage/reads/read-pool.ts';
import { createSearchQuery } from '../../../src/storage/reads/search-query.ts';
import { findLargeOwners } from '../../../src/urls/kept-lists/large-owners.ts';
import { createLeaderStore } from '../../../src/urls/kept-lists/leaders.ts';
import { createSummaryPassStore } from '../../../src/urls/kept-lists/summary-pass.ts';
import { createUrlLists, type UrlCursor } from '../../../src/urls/search/list.ts';
import {
  createUrlSummaries,
  type SummaryOrder,
  summaryOrders,
  type UrlSummary,
} from '../../../src/urls/search/summaries.ts';
import { summariseUrls } from '../../../workers/jobs/urls/summarise-urls.ts';
import { createJobContext } from '../../support/job-context.ts';
import { useDatabase } from '../../support/resources.ts';

const { db } = useDatabase();
const now = new Date();
const search = () => createSearchQuery(readFrom(db()), 20_000);
const passes = () => createSummaryPassStore(db());
const leaders = () => createLeaderStore(db());

let keyIds: number[];
beforeAll(async () => {
  const apiKeys = createApiKeys(db());
  keyIds = [(await apiKeys.create('a')).id, (await apiKeys.create('b')).id];
});

beforeEach(async () => {
  await db()('urls').del();
  await run({ above: 1_000_000 });
});

interface Row {
  host: string;
  tags: string[];
  created_by: number | null;
  is_deleted: boolean;
  clicks: number;
  clicked_at: string | null;
}

/** Runs the job; lists of owners of more than `above` short URLs are kept. */
async function run({ above = 0, leaderCount = 1_000, sliceSize = 3, context = createJobContext() } = {}) {
  return await summariseUrls(
    {
      summaries: passes(),
      leaders: leaders(),
      findLargeOwners: async () => await findLargeOwners(db(), above),
    },
    { leaderCount, always: true, sliceSize },
    context,
  );
}

async function insert(rows: Row[]): Promise<void> {
  for (const [i, row] of rows.entries()) {
    const [{ id }] = await db()('urls')
      .insert({
        short_code: `kept-${i}`,
        original_url: `https://${row.host}/`,
        tags: row.tags,
        created_by: row.created_by,
        deleted_at: row.is_deleted ? now : null,
      })
      .returning('id');
    await db().raw('insert into url_stats (url_id, click_count, last_accessed_at) values (?, ?, ?)', [
      id,
      row.clicks,
      row.clicked_at,
    ]);
  }
}

/** All pages of the summaries of an owner. */
async function readSummaries(kind: 'tags' | 'hosts', order: SummaryOrder, owner: number | null) {
  const summaries: UrlSummary[] = [];
  for (;;) {
    const page = await createUrlSummaries(search())[kind]({
      owner,
      order,
      after: summaries.at(-1),
      limit: 2,
      now,
    });
    summaries.push(...page.summaries);
    if (page.summaries.length === 0) return { summaries, asOf: page.asOf };
  }
}

/** The codes of all pages of a list, and the number of pages that were made of leaders. */
async function readList(sort: 'clicks' | 'last_click', owner: number | null, filter = {}) {
  const codes: string[] = [];
  let keptPages = 0;
  for (let after: UrlCursor | undefined; ;) {
    const order = { sort, isDescending: true };
    const page = await createUrlLists(search()).list({
      filter: { owner, ...filter },
      order,
      after,
      limit: 2,
      now,
    });
    codes.push(...page.urls.map(({ shortCode }) => shortCode));
    if (page.asOf) keptPages += 1;
    if (!page.next) return { codes, keptPages };
    after = page.next;
  }
}

async function readAll() {
  const all: Record<string, unknown> = {};
  for (const owner of [null, ...keyIds]) {
    for (const kind of ['tags', 'hosts'] as const)
      for (const order of summaryOrders)
        all[`${kind} by ${order} of ${owner}`] = (await readSummaries(kind, order, owner)).summaries;
    for (const sort of ['clicks', 'last_click'] as const)
      for (const filter of [{}, { tags: ['food'] }])
        all[`${sort} of ${owner} with ${JSON.stringify(filter)}`] = (
          await readList(sort, owner, filter)
        ).codes;
  }
  return all;
}

const row = (): fc.Arbitrary<Row> =>
  fc.record({
    host: fc.constantFrom('a.example', 'b.example:8080', 'b.example', '[2001:db8::1]'),
    tags: fc.uniqueArray(fc.constantFrom('food', 'Bread & tea', 'ärger'), { maxLength: 3 }),
    created_by: fc.option(fc.constantFrom(...keyIds)),
    is_deleted: fc.boolean(),
    clicks: fc.constantFrom(0, 0, 1, 2, 7, 2 ** 48),
    clicked_at: fc.option(
      fc.constantFrom(
        '2026-06-01T00:00:00.000001Z',
        '2026-06-01T00:00:00.000002Z',
        '1960-01-01T00:00:00Z',
        'infinity',
      ),
    ),
  });

test('kept lists equal those that are made when they are read', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(row(), { maxLength: 14 }),
      fc.constantFrom(0, 2),
      fc.constantFrom(2, 5, 1_000),
      async (rows, above, leaderCount) => {
        await db()('urls').del();
        await run({ above: 1_000_000 });
        await insert(rows);
        const made = await readAll();
        await run({ above, leaderCount });
        expect(await readAll()).toEqual(made);
      },
    ),
    { numRuns: 15 },
  );
});

const linkOf = (changes: Partial<Row> = {}): Row => ({
  host: 'a.example',
  tags: ['food'],
  created_by: null,
  is_deleted: false,
  clicks: 1,
  clicked_at: null,
  ...changes,
});

test('kept summaries are as of the last count, and leaders have their current clicks', async () => {
  await insert([linkOf({ clicks: 5 }), linkOf({ clicks: 4 }), linkOf({ clicks: 3 }), linkOf({ clicks: 0 })]);
  const before = (await db().raw('select now()')).rows[0].now;
  await run();
  const tag = { name: 'food', urlCount: 4, clickCount: 12 };
  const read = await readSummaries('tags', 'urls', null);
  expect(read.summaries).toEqual([tag]);
  expect(read.asOf?.getTime()).toBeGreaterThanOrEqual(before.getTime() - 1);
  await db()('url_stats')
    .whereIn('url_id', db()('urls').where('short_code', 'kept-1').select('id'))
    .update({ click_count: 9 });
  expect((await readSummaries('tags', 'urls', null)).summaries).toEqual([tag]);
  expect(await readList('clicks', null)).toEqual({
    codes: ['kept-1', 'kept-0', 'kept-2', 'kept-3'],
    keptPages: 1,
  });
  await run();
  expect((await readSummaries('tags', 'urls', null)).summaries).toEqual([{ ...tag, clickCount: 17 }]);
});

test('with few short URLs nothing is kept, also when there were many', async () => {
  await insert([linkOf(), linkOf()]);
  await run();
  expect((await readSummaries('hosts', 'name', null)).asOf).not.toBeNull();
  await run({ above: 2 });
  expect(await readSummaries('hosts', 'name', null)).toMatchObject({
    asOf: null,
    summaries: [{ urlCount: 2 }],
  });
  expect((await readList('clicks', null)).keptPages).toBe(0);
  expect(await db()('url_summaries')).toEqual([]);
});

test('of two runs at once one counts', async () => {
  await insert([linkOf()]);
  const other = (await passes().begin())!;
  expect(await run()).toEqual({ leaders: 1, summaries: 'another run is in progress' });
  expect(await passes().complete(other, { owners: [0], seconds: 1 })).toBe(true);
  expect(await run()).toEqual({ leaders: 1, summaries: 'kept' });
});

test('a run takes over from a worker that was killed, whose late slices change nothing', async () => {
  await insert([linkOf()]);
  const killed = (await passes().begin())!;
  const slice = { after: 0, last: Number.MAX_SAFE_INTEGER };
  expect(await passes().addSlice(killed, slice, [0])).toBe(true);
  await db()('url_summary_pass').update({ active_at: db().raw(`now() - interval '3 minutes'`) });
  expect(await run()).toMatchObject({ summaries: 'kept' });
  expect(await passes().addSlice(killed, slice, [0])).toBe(false);
  expect(await passes().complete(killed, { owners: [], seconds: 0 })).toBe(false);
  expect((await readSummaries('tags', 'urls', null)).summaries).toEqual([
    { name: 'food', urlCount: 1, clickCount: 1 },
  ]);
});

test('an interrupted run keeps the former lists, and the next one need not wait', async () => {
  await insert([linkOf()]);
  await run();
  await db()('urls').update({ original_url: 'https://b.example/' });
  const context = createJobContext();
  const reportProgress = async (percent: number) => {
    if (percent >= 50) context.stop();
  };
  expect(await run({ sliceSize: 1, context: { ...context, reportProgress } })).toMatchObject({
    interrupted: true,
  });
  const readHosts = async () =>
    (await readSummaries('hosts', 'urls', null)).summaries.map(({ name }) => name);
  expect(await readHosts()).toEqual(['a.example']);
  expect(await run()).toMatchObject({ summaries: 'kept' });
  expect(await readHosts()).toEqual(['b.example']);
});

test('the job keeps nothing again before a pass is due', async () => {
  await insert([linkOf()]);
  await run();
  const again = await summariseUrls(
    { summaries: passes(), leaders: leaders(), findLargeOwners: async () => [0] },
    { leaderCount: 10, always: false },
    createJobContext(),
  );
  expect(again).toEqual({});
});
