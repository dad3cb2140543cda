import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { seedDemo } from '../../../scripts/demo/seed.ts';
import { isExact, readAudit } from '../../../src/clicks/ledger/audit.ts';
import { readAnalyticsAudit } from '../../support/clicks/analytics.ts';
import { useService } from '../../support/processes/service.ts';

const service = useService();
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'linkmill-demo-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

const seed = async () =>
  await seedDemo({
    baseUrl: service.baseUrl(),
    apiKey: service.apiKey(),
    databaseUrl: service.database.url(),
    folder,
  });

/** Links and clicks in the tables, and whether all counts agree. */
async function readState() {
  const db = service.database.db();
  const audit = await readAudit(db);
  const { differing } = await readAnalyticsAudit(db);
  const [{ count } = { count: 0 }] = await db('urls').count('* as count');
  return { links: Number(count), clicks: audit.counted, isExact: isExact(audit), differing };
}

test('the demo creates 200 links, and all counts of their clicks agree', async () => {
  const created = await seed();
  expect(created?.links).toBe(200);
  expect(created?.clicks).toBeGreaterThan(10_000);
  expect(await readState()).toEqual({ ...created, isExact: true, differing: [] });
});

test('a second start of the demo changes nothing', async () => {
  const before = await readState();
  expect(await seed()).toBeUndefined();
  expect(await readState()).toEqual(before);
});

test('a start of the demo after an interrupted one counts nothing twice', async () => {
  const before = await readState();
  const file = path.join(folder, 'run/demo.json');
  const mark = JSON.parse(await readFile(file, 'utf8')) as object;
  await writeFile(file, JSON.stringify({ ...mark, isComplete: false }));
  expect(await seed()).toEqual({ links: 200, clicks: before.clicks });
  expect(await readState()).toEqual(before);
});
