import { parse } from 'csv-parse/sync';
import { beforeAll, expect, test } from 'vitest';
import { openClickStore } from '../../../src/analytics/click-store.ts';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import type { NewExport } from '../../../src/transfers/exports/store.ts';
import { exportUrls } from '../../../workers/jobs/transfers/export-urls.ts';
import { makeDetail, makeDetailedBatch } from '../../support/clicks/analytics.ts';
import { createUrlIds } from '../../support/clicks/clicks.ts';
import { createTransfers } from '../../support/http/transfers.ts';
import { createJobContext } from '../../support/job-context.ts';
import { useDatabase } from '../../support/resources.ts';
import { waitUntil } from '../../support/wait-until.ts';

const { db } = useDatabase();
const atMs = Date.parse('2026-11-20T10:00:30Z');
let apiKeyId: number;

beforeAll(async () => {
  apiKeyId = (await createApiKeys(db()).create('test')).id;
  const [one, two, deleted] = (await createUrlIds(db(), 3)) as [number, number, number];
  await db()('urls')
    .where({ id: one })
    .update({ short_code: 'code-one', tags: ['tag'] });
  await db()('urls').where({ id: two }).update({ short_code: 'code-two', created_by: apiKeyId });
  const details = Array.from({ length: 1_500 }, (_, i) => makeDetail({ visitor: i + 1, browser: `=${i}` }));
  for (const minutes of [0, 1, 2]) {
    const clicks = [one, two, deleted].flatMap((urlId) =>
      details.map((detail) => ({ urlId, count: 1, lastAtMs: atMs + minutes * 60_000, detail })),
    );
    await openClickStore(db()).apply([makeDetailedBatch(clicks)]);
  }
  await db()('urls').where({ id: deleted }).update({ deleted_at: new Date() });
});

async function exportClicks(wanted: Partial<NewExport> = {}) {
  // An export stops before any open transaction on the server, including those of other tests.
  await waitUntil('earlier transactions have ended', async () => {
    const { rows } = await db().raw(
      `select max(applied_in) < pg_snapshot_xmin(pg_current_snapshot()) as "areOver" from url_analytics
       where applied_in < pg_snapshot_xmax(pg_current_snapshot())`,
    );
    return rows[0].areOver === true;
  });
  const transfers = createTransfers(db());
  const { id } = await transfers.exports.create({
    apiKeyId,
    kind: 'clicks',
    encoding: 'csv',
    owner: null,
    ...wanted,
  });
  await exportUrls(transfers, id, createJobContext());
  const { content, rows } = await transfers.exports.readFile(id, apiKeyId, null);
  let text = '';
  for await (const part of content) text += part.toString();
  return { text, rows };
}

test('click events are exported once, without visitor IDs, and guarded against formulas', async () => {
  const { text, rows } = await exportClicks();
  const clicks = parse(text, { columns: true }) as Record<string, string>[];
  expect(rows).toBe(9_000);
  expect(clicks).toHaveLength(9_000);
  expect(new Set(clicks.map((click) => Object.values(click).join()))).toHaveLength(9_000);
  expect(Object.keys(clicks[0]!)).toEqual([
    'short_code',
    'at',
    'clicks',
    'is_bot',
    'bot_kind',
    'country',
    'referrer',
    'browser',
    'os',
    'device',
  ]);
  expect(clicks.every(({ browser }) => /^'=\d+$/.test(browser!))).toBe(true);
});

test.each([
  ['a short code', { filter: { short_code: 'code-one' } }, 4_500],
  ['a tag', { filter: { tag: 'tag' } }, 4_500],
  ['a range', { filter: { from: '2026-11-20T10:01:00Z', to: '2026-11-20T11:02:00+01:00' } }, 3_000],
  ['nothing that there is', { filter: { short_code: 'unknown' } }, 0],
])('%s filters an export of clicks', async (_, wanted, count) => {
  expect((await exportClicks({ encoding: 'ndjson', ...wanted })).rows).toBe(count);
});

test('an owner gets only the clicks of its own short URLs', async () => {
  const { text } = await exportClicks({ owner: apiKeyId, encoding: 'ndjson' });
  const codes = text
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { short_code: string }).short_code);
  expect(codes).toHaveLength(4_500);
  expect([...new Set(codes)]).toEqual(['code-two']);
});

test('clicks restored from a dump with higher transaction IDs are exported once', async () => {
  await db().raw(
    `update url_analytics set applied_in = cast(cast(99999999999 + extract(minute from at) as text) as xid8)
     where extract(minute from at) > 0`,
  );
  const { text, rows } = await exportClicks({ encoding: 'ndjson' });
  expect(rows).toBe(9_000);
  expect(new Set(text.trimEnd().split('\n')).size).toBe(9_000);
  expect((await exportClicks({ encoding: 'ndjson' })).rows).toBe(9_000);
});
