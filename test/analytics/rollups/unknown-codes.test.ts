import { afterEach, beforeEach, expect, test } from 'vitest';
import { createNotFoundCounts, maxCodes } from '../../../src/analytics/rollups/unknown-codes.ts';
import { silentLog, useDatabase } from '../../support/resources.ts';
import { waitUntil } from '../../support/wait-until.ts';

const { db } = useDatabase();
const created: ReturnType<typeof createNotFoundCounts>[] = [];

function create(flushMs = 60_000) {
  const codes = createNotFoundCounts({ db: db(), flushMs, log: silentLog });
  created.push(codes);
  return codes;
}

async function readRequests(): Promise<Record<string, number>> {
  const rows = await db()('unknown_codes_daily').orderBy(['requests', 'short_code']);
  return Object.fromEntries(rows.map((row) => [row.short_code, row.requests]));
}

const sumOf = (requests: Record<string, number>) =>
  Object.values(requests).reduce((sum, count) => sum + count, 0);
const addMany = (codes: { add: (code: string) => void }, begin: string, count: number) => {
  for (let i = 0; i < count; i++) codes.add(`${begin}-${i}`);
};

beforeEach(async () => await db()('unknown_codes_daily').del());
afterEach(async () => {
  for (const codes of created.splice(0)) await codes.close();
});

test('unknown codes are written periodically, summed over processes, and flushed on close', async () => {
  const [one, other] = [create(20), create()];
  one.add('missing');
  one.add('missing');
  await waitUntil('the first process has flushed', async () => (await readRequests())['missing'] === 2);
  other.add('missing');
  other.add('unknown');
  await other.close();
  expect(await readRequests()).toEqual({ missing: 3, unknown: 1, '*': 0 });
});

test('beyond the maximum of codes, the least requested are merged and none is lost', async () => {
  const codes = create();
  addMany(codes, 'first', maxCodes);
  codes.add('first-7');
  addMany(codes, 'beyond', 500);
  await codes.flush();
  expect(await readRequests()).toMatchObject({ '*': 500, 'first-7': 2 });
  for (let i = 0; i < 3; i++) codes.add('popular');
  addMany(codes, 'scan', 100_000);
  await codes.flush();
  const requests = await readRequests();
  expect(Object.keys(requests)).toHaveLength(maxCodes + 1);
  expect(requests).toMatchObject({ popular: 3, 'first-7': 2 });
  expect(sumOf(requests)).toBe(maxCodes + 1 + 500 + 3 + 100_000);
});

test('processes that write different codes concurrently keep the limit and lose none', async () => {
  const processes = [create(), create(), create(), create()];
  for (const [i, codes] of processes.entries()) addMany(codes, `process-${i}`, 700);
  await Promise.all(processes.map((codes) => codes.flush()));
  const requests = await readRequests();
  expect(Object.keys(requests)).toHaveLength(maxCodes + 1);
  expect(sumOf(requests)).toBe(2_800);
});

test('requests that could not be written are written once PostgreSQL is back', async () => {
  const codes = create();
  await db().schema.renameTable('unknown_codes_daily', 'unknown_codes_away');
  codes.add('missing');
  await expect(codes.flush()).rejects.toThrow('unknown_codes_daily');
  codes.add('missing');
  await db().schema.renameTable('unknown_codes_away', 'unknown_codes_daily');
  await codes.flush();
  expect(await readRequests()).toEqual({ missing: 2, '*': 0 });
});
