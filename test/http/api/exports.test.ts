import { parse } from 'csv-parse/sync';
import { expect, test } from 'vitest';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import { exportUrls } from '../../../workers/jobs/transfers/export-urls.ts';
import { createTransfers } from '../../support/http/transfers.ts';
import { useWeb } from '../../support/http/web-app.ts';
import { createJobContext } from '../../support/job-context.ts';
import { createUrl, insertUrls } from '../../support/urls/urls.ts';
import { waitUntil } from '../../support/wait-until.ts';

const web = useWeb();

/** Runs all waiting exports, like a worker. */
const runJob = async () =>
  await exportUrls(createTransfers(web.database.db()), undefined, createJobContext());

async function download(path: string, key = web.apiKey()) {
  const response = await fetch(`${web.baseUrl()}${path}/file`, { headers: { 'x-api-key': key } });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

const codesOf = (csv: string) =>
  parse<Record<string, string>>(csv, { columns: true }).map((row) => row['short_code']);

test('an export contains each short URL once, and its file is available on completion', async () => {
  const client = web.client();
  await insertUrls(web.database.db(), { begin: 'many-', count: 12_000 });
  const created = await client.post('/api/v1/exports', {});
  expect(created.status).toBe(202);
  expect(created.body['state']).toBe('waiting');
  expect(created.body['format']).toBe('csv');
  const path = String(created.headers.get('location'));
  expect(await download(path)).toMatchObject({ status: 409, text: expect.stringContaining('not-ready') });

  await runJob();
  expect((await client.get(path)).body).toMatchObject({ state: 'completed', progress: 100, rows: 12_000 });
  const { status, headers, text } = await download(path);
  expect(status).toBe(200);
  expect(headers.get('content-length')).toBe(String(Buffer.byteLength(text)));
  expect(headers.get('content-disposition')).toMatch(/^attachment; filename="urls-\d+\.csv"$/);
  expect(new Set(codesOf(text)).size).toBe(12_000);
  expect((await client.head(`${path}/file`)).status).toBe(200);
});

test('a value that looks like a formula starts with an apostrophe', async () => {
  const client = web.client();
  await createUrl(client, { custom_code: '-formula' });
  await web.database
    .db()('urls')
    .where({ short_code: '-formula' })
    .update({ title: '=1+1', notes: '\tx', tags: ['@tag'] });
  const created = await client.post('/api/v1/exports', {});
  await runJob();
  const { text } = await download(String(created.headers.get('location')));
  const row = parse<Record<string, string>>(text, { columns: true }).find(({ title }) => title === "'=1+1");
  expect(row).toMatchObject({ short_code: "'-formula", notes: "'\tx", tags: "'@tag" });
});

test('the export of a restricted key is visible to itself and to administrators', async () => {
  const keys = createApiKeys(web.database.db());
  const { key } = await keys.create('own', { scopes: ['urls:read', 'urls:write'], ownUrlsOnly: true });
  const { key: other } = await keys.create('other', { scopes: ['urls:read', 'urls:write'] });
  await createUrl(web.client(key), { custom_code: 'own-one' });
  const created = await web.client(key).post('/api/v1/exports', { format: 'ndjson' });
  await runJob();
  const path = String(created.headers.get('location'));
  const { text } = await download(path, key);
  expect(JSON.parse(text)).toMatchObject({ short_code: 'own-one', click_count: 0, tags: [] });

  const foreign = web.client(other);
  for (const answer of [
    await foreign.get(path),
    await foreign.get(`${path}/file`),
    await foreign.delete(path),
  ]) {
    expect(answer.status).toBe(404);
  }
  expect((await foreign.get('/api/v1/exports')).body).toEqual({ items: [], next_cursor: null });
  expect((await web.client().get(path)).status).toBe(200);
  expect((await web.client(key).delete(path)).body).toMatchObject({ state: 'completed', rows: 1 });
  expect((await web.client(key).get(`${path}/file`)).status).toBe(404);
});

test('an API key that lost permissions cannot download earlier exports', async () => {
  const keys = createApiKeys(web.database.db());
  const { id, key } = await keys.create('lowered', { scopes: ['urls:read', 'stats:read'] });
  const createExport = async (body: object) =>
    String((await web.client(key).post('/api/v1/exports', body)).headers.get('location'));
  const clicks = await createExport({ kind: 'clicks' });
  const all = await createExport({});
  await runJob();
  const read = async () => [(await download(clicks, key)).status, (await download(all, key)).status];
  expect(await read()).toEqual([200, 200]);
  await keys.update(id, { scopes: ['urls:read'] });
  await waitUntil('the changed scopes take effect', async () => (await read()).join() === '403,200');
  await keys.update(id, { scopes: ['urls:read', 'stats:read'], ownUrlsOnly: true });
  await waitUntil(
    'the restriction to own short URLs takes effect',
    async () => (await read()).join() === '404,404',
  );
});

test('an empty export contains the header row', async () => {
  const { key } = await createApiKeys(web.database.db()).create('none', {
    scopes: ['urls:read'],
    ownUrlsOnly: true,
  });
  const created = await web.client(key).post('/api/v1/exports', { format: 'csv' });
  await runJob();
  const { text } = await download(String(created.headers.get('location')), key);
  expect(text).toMatch(/^short_code,original_url,[\w,]+\n$/);
});

test('clicks of every valid range can be exported', async () => {
  const client = web.client();
  const [from, to] = ['2026-01-01T00:00:00+23:00', '2999-12-31T23:59:59+23:59'];
  const created = await client.post('/api/v1/exports', { kind: 'clicks', from, to });
  await runJob();
  const path = String(created.headers.get('location'));
  expect((await client.get(path)).body).toMatchObject({ state: 'completed', error: null });
  for (const strange of ['0000-01-01T00:00:00Z', '1999-12-31T23:59:59Z', '3000-01-01T00:00:00Z', 'now'])
    expect((await client.post('/api/v1/exports', { kind: 'clicks', from: strange })).status).toBe(422);
});

test('an export that PostgreSQL rejects fails with an error', async () => {
  const client = web.client();
  const created = await client.post('/api/v1/exports', { kind: 'clicks' });
  const path = String(created.headers.get('location'));
  const filter = { from: '2026-01-01T00:00:00+23:00' };
  await web.database
    .db()('exports')
    .where({ id: Number(created.body['id']) })
    .update({ filter });
  await runJob();
  const error = 'PostgreSQL rejects the query of the export.';
  expect((await client.get(path)).body).toMatchObject({ state: 'failed', error });
  expect(await download(path)).toMatchObject({ status: 409, text: expect.stringContaining(error) });
});

test('an invalid export request is rejected', async () => {
  const client = web.client();
  for (const body of [{ format: 'xls' }, { kind: 'clicks?' }, { surprise: 1 }]) {
    expect((await client.post('/api/v1/exports', body)).status).toBe(422);
  }
  expect((await client.get('/api/v1/exports/x')).status).toBe(422);
  expect((await client.get('/api/v1/exports/999999')).status).toBe(404);
});
