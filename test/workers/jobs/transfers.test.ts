import { beforeAll, expect, test } from 'vitest';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import { maxErrors } from '../../../src/transfers/imports/report-store.ts';
import { cleanupTransfers } from '../../../workers/jobs/transfers/cleanup-transfers.ts';
import { exportUrls } from '../../../workers/jobs/transfers/export-urls.ts';
import { importUrls } from '../../../workers/jobs/transfers/import-urls.ts';
import { createTransfers } from '../../support/http/transfers.ts';
import { createJobContext } from '../../support/job-context.ts';
import { useDatabase } from '../../support/resources.ts';
import { insertUrls } from '../../support/urls/urls.ts';

const database = useDatabase();
const transfers = () => createTransfers(database.db());
let apiKeyId: number;

beforeAll(async () => {
  apiKeyId = (await createApiKeys(database.db()).create('test')).id;
});

const fileOf = (begin: string, rows: number) =>
  `short_code,original_url,click_count\n${Array.from({ length: rows }, (_, i) => `${begin}${i},https://example.com/${begin}${i},1\n`).join('')}`;

const countUrls = async (begin: string): Promise<number> => {
  const [row] = await database.db()('urls').whereLike('short_code', `${begin}%`).count({ count: '*' });
  return Number(row?.['count']);
};

/** Stops a job after its first report of progress. */
function stopAtFirst() {
  const context = createJobContext();
  return { ...context, reportProgress: async () => context.stop() };
}

test('an interrupted import ends after its chunk, and the next run does the rest', async () => {
  const id = await transfers().upload(apiKeyId, fileOf('stop-', 6_000));
  const first = await importUrls(transfers(), id, stopAtFirst());
  expect(first).toMatchObject({ state: 'running', interrupted: true });
  expect(await countUrls('stop-')).toBeLessThan(6_000);
  const context = createJobContext();
  expect(await importUrls(transfers(), id, context)).toMatchObject({
    state: 'completed',
    created: 6_000,
    failed: 0,
  });
  expect(await countUrls('stop-')).toBe(6_000);
  expect(context.reported.at(-1)).toBe(100);
});

test('a row with a blocked host is an error, and the others are imported', async () => {
  await database.db().raw(`insert into blocked_hosts (host) values ('blocked.example')`);
  const content = ['https://www.blocked.example/', 'https://free.example/'].map(
    (url, n) => `${url},host-${n}`,
  );
  const id = await transfers().upload(apiKeyId, ['original_url,short_code', ...content].join('\n'));
  expect(await importUrls(transfers(), id, createJobContext())).toMatchObject({ created: 1, failed: 1 });
  expect(await countUrls('host-')).toBe(1);
});

test('three concurrent runs of an import create each short URL once', async () => {
  const id = await transfers().upload(apiKeyId, fileOf('thrice-', 6_000));
  await Promise.all([1, 2, 3].map(async () => await importUrls(transfers(), id, createJobContext())));
  expect(await transfers().imports.get(id, apiKeyId)).toMatchObject({
    state: 'completed',
    rows: 6_000,
    created: 6_000,
    skipped: 0,
    failed: 0,
  });
  expect(await countUrls('thrice-')).toBe(6_000);
});

test('two concurrent runs of an export write each row once', async () => {
  const { id } = await transfers().exports.create({
    apiKeyId,
    kind: 'urls',
    encoding: 'ndjson',
    owner: null,
  });
  await Promise.all([1, 2].map(async () => await exportUrls(transfers(), id, createJobContext())));
  const { content, rows } = await transfers().exports.readFile(id, apiKeyId, null);
  let text = '';
  for await (const part of content) text += part.toString();
  const codes = text
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { short_code: string }).short_code);
  expect(new Set(codes).size).toBe(codes.length);
  expect(codes).toHaveLength(rows);
});

test('chunks of an export are small, also with long rows', async () => {
  const db = database.db();
  await insertUrls(db, { begin: 'long-', count: 1_000 });
  await db('urls')
    .whereLike('short_code', 'long-%')
    .update({ notes: 'x'.repeat(10_000) });
  const { id } = await transfers().exports.create({
    apiKeyId,
    kind: 'urls',
    encoding: 'csv',
    owner: null,
  });
  expect(await exportUrls(transfers(), id, createJobContext())).toMatchObject({ state: 'completed' });
  const { content, rows, bytes } = await transfers().exports.readFile(id, apiKeyId, null);
  const lengths: number[] = [];
  for await (const part of content) lengths.push(part.length);
  expect(Math.max(...lengths)).toBeLessThan(4_000_000);
  expect(lengths.reduce((sum, length) => sum + length)).toBe(bytes);
  expect(rows).toBeGreaterThanOrEqual(1_000);
  await db('urls').whereLike('short_code', 'long-%').delete();
});

test('a run without an id takes waiting and abandoned transfers, but no active ones', async () => {
  const [waiting, abandoned, current] = await Promise.all(
    ['wait-', 'abandoned-', 'work-'].map(
      async (begin) => await transfers().upload(apiKeyId, fileOf(begin, 3)),
    ),
  );
  const setWorked = async (id: number, ago: string) =>
    await database
      .db()
      .raw(
        `update imports set state = 'running', last_progress_at = now() - cast(? as interval) where id = ?`,
        [ago, id],
      );
  await setWorked(abandoned!, '1 minute');
  await setWorked(current!, '1 second');
  expect(await importUrls(transfers(), undefined, createJobContext())).toEqual({
    imports: 2,
    interrupted: false,
  });
  const stateOf = async (id: number) => (await transfers().imports.get(id, null)).state;
  expect(await Promise.all([waiting!, abandoned!, current!].map(stateOf))).toEqual([
    'completed',
    'completed',
    'running',
  ]);
  expect(await importUrls(transfers(), undefined, createJobContext())).toMatchObject({
    status: 'nothing to import',
  });
});

test('an import that keeps failing does not block the next ones', async () => {
  const [broken, later] = await Promise.all(
    ['broke-', 'after-'].map(async (begin) => await transfers().upload(apiKeyId, fileOf(begin, 3))),
  );
  await database.db().raw(`update imports set columns = '{unknown}' where id = ?`, [broken!]);
  await expect(importUrls(transfers(), undefined, createJobContext())).rejects.toThrow('format of import');
  expect(await transfers().imports.get(later!, apiKeyId)).toMatchObject({ state: 'completed', created: 3 });
  await transfers().imports.remove(broken!, apiKeyId);
});

test.each([
  ['csv', 'original_url,short_code,a\0b\nhttps://example.com/,odd-csv,\n'],
  ['ndjson', '{"original_url":"https://example.com/","short_code":"odd-ndjson","a\\u0000b":1}\n'],
] as const)('a column without a valid name in %s counts as ignored', async (kind, content) => {
  const id = await transfers().upload(apiKeyId, content, kind);
  expect(await importUrls(transfers(), id, createJobContext())).toMatchObject({ created: 1, failed: 0 });
  expect((await transfers().imports.get(id, apiKeyId)).ignoredColumns).toEqual(['(1 more)']);
});

test('a deeply nested object is an unreadable row', async () => {
  const deep = `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`;
  const id = await transfers().upload(
    apiKeyId,
    `${deep}\n${'['.repeat(10_000)}${']'.repeat(10_000)}\n{"original_url":"https://example.com/deep"}\n`,
    'ndjson',
  );
  expect(await importUrls(transfers(), id, createJobContext())).toMatchObject({ created: 1, failed: 2 });
});

test('an import fails when its API key is revoked, expired or loses its scope', async () => {
  const keys = createApiKeys(database.db());
  const endings = {
    'revoked-': keys.revoke,
    'expired-': async (id: number) =>
      await database
        .db()('api_keys')
        .where({ id })
        .update({ expires_at: new Date(Date.now() - 1_000) }),
    'lowered-': async (id: number) => await keys.update(id, { scopes: ['urls:read'] }),
  };
  for (const [begin, end] of Object.entries(endings)) {
    const key = await keys.create(begin);
    const id = await transfers().upload(key.id, fileOf(begin, 20_000));
    await importUrls(transfers(), id, stopAtFirst());
    await end(key.id);
    await importUrls(transfers(), id, createJobContext());
    const error = 'The API key may no longer create short URLs.';
    const ended = await transfers().imports.get(id, null);
    expect(ended).toMatchObject({ state: 'failed', error });
    expect(ended.created).toBeLessThan(20_000);
  }
});

test('the list of errors is limited, but all failed rows are counted', async () => {
  const rows = maxErrors + 600;
  const id = await transfers().upload(apiKeyId, `original_url,short_code\n${'x,\n'.repeat(rows)}`);
  expect(await importUrls(transfers(), id, createJobContext())).toMatchObject({ failed: rows });
  expect(await database.db()('import_errors').where({ import_id: id })).toHaveLength(maxErrors);
});

test('an import of an owner does not reveal the destinations of others', async () => {
  const keys = createApiKeys(database.db());
  const owner = await keys.create('owner');
  const other = await keys.create('other', { scopes: ['urls:write'], ownUrlsOnly: true });
  const file = fileOf('mine-', 3);
  const importAs = async (key: number) =>
    await importUrls(transfers(), await transfers().upload(key, file), createJobContext());
  expect(await importAs(owner.id)).toMatchObject({ created: 3 });
  expect(await importAs(other.id)).toMatchObject({ created: 0, skipped: 0, failed: 3 });
  expect(await importAs(owner.id)).toMatchObject({ created: 0, skipped: 3, failed: 0 });
});

test('an object that cannot be imported does not affect the next ones', async () => {
  const file = '{}\n{"title":"x"}\n{"original_url":"https://example.com/behind"}\n';
  const id = await transfers().upload(apiKeyId, file, 'ndjson');
  expect(await importUrls(transfers(), id, createJobContext())).toMatchObject({ created: 1, failed: 2 });
});

test.each([
  ['2024-01-02 10:00:00.123456+00', '2024-01-02T10:00:00.123Z'],
  ['2024-01-02 10:00:00-0330', '2024-01-02T13:30:00.000Z'],
  ['2024-02-29T00:00+05:45', '2024-02-28T18:15:00.000Z'],
  ['2024-12-31', '2024-12-31T00:00:00.000Z'],
  ['2023-02-29', undefined],
  ['2024-11-31 10:00:00', undefined],
  ['0000-01-01', undefined],
  ['Thu, 01 Feb 2024 10:00:00 GMT', '2024-02-01T10:00:00.000Z'],
  ['1706781600', '2024-02-01T10:00:00.000Z'],
  ['1706781600123', '2024-02-01T10:00:00.123Z'],
  ['02/03/2024', undefined],
])('the time %s of a row is %s', async (time, expected) => {
  const id = await transfers().upload(
    apiKeyId,
    `original_url,expires_at\n"https://example.com/${time}","${time}"\n`,
  );
  expect(await importUrls(transfers(), id, createJobContext())).toMatchObject({ failed: expected ? 0 : 1 });
  const [url] = await database
    .db()('urls')
    .whereLike('original_url', `%${encodeURI(time)}`);
  expect(url?.expires_at.toISOString()).toBe(expected);
});

test('an import that is deleted during its run stops', async () => {
  const id = await transfers().upload(apiKeyId, fileOf('ended-', 6_000));
  await importUrls(transfers(), id, stopAtFirst());
  const { created } = await transfers().imports.remove(id, apiKeyId);
  expect(await importUrls(transfers(), id, createJobContext())).toMatchObject({
    status: 'the import was deleted',
  });
  expect(await countUrls('ended-')).toBe(created);
});

test('files of finished imports are deleted, old imports with their errors, waiting ones not', async () => {
  const db = database.db();
  const clean = async () => await cleanupTransfers(transfers(), 7, createJobContext());
  const done = await transfers().upload(apiKeyId, 'short_code,original_url\nx,y\n');
  await importUrls(transfers(), done, createJobContext());
  const waiting = await transfers().upload(apiKeyId, fileOf('later-', 2));
  await clean();
  expect(await db('import_chunks').where({ import_id: done })).toEqual([]);
  expect(await db('import_errors').where({ import_id: done })).not.toEqual([]);
  expect(await db('import_chunks').where({ import_id: waiting })).toHaveLength(1);

  await db.raw(`update imports set finished_at = finished_at - interval '8 days' where id = ?`, [done]);
  await db.raw(`update exports set finished_at = finished_at - interval '8 days'`);
  await clean();
  expect(await db('imports').where({ id: done })).toEqual([]);
  expect(await db('import_errors').where({ import_id: done })).toEqual([]);
  expect(await db('exports')).toEqual([]);
  expect(await db('export_chunks')).toEqual([]);
  expect(await importUrls(transfers(), waiting, createJobContext())).toMatchObject({ created: 2 });
});
