import { parse } from 'csv-parse/sync';
import { expect, test } from 'vitest';
import { isExact, readBooks } from '../../src/clicks/click-books.ts';
import { createUrlCleanupStore } from '../../src/urls/url-cleanup-store.ts';
import { importFile } from '../support/imports.ts';
import { useService } from '../support/service.ts';
import { createUrl } from '../support/urls.ts';
import { waitUntil } from '../support/wait-until.ts';

const service = useService({ IMPORT_MAX_MB: '2' });
const csv = (...lines: string[]) => lines.map((line) => `${line}\n`).join('');

async function readErrors(id: unknown): Promise<string[][]> {
  const response = await fetch(`${service.baseUrl()}/api/v1/imports/${String(id)}/errors`, {
    headers: { 'x-api-key': service.apiKey() },
  });
  expect(response.headers.get('content-type')).toContain('text/csv');
  return parse(await response.text());
}

async function findUrl(shortCode: string) {
  const [row] = await service.database.db()('urls').where({ short_code: shortCode });
  return row as Record<string, unknown> | undefined;
}

test('a file of Linkmill’s own columns becomes short URLs that redirect, with generated codes where it names none', async () => {
  const client = service.client();
  const found = await importFile(
    client,
    csv(
      'short_code,original_url,title,tags,created_at,expires_at,max_clicks',
      'import-a,https://example.com/a,A page,one|two,2020-02-03T04:05:06Z,2199-01-01T00:00:00Z,7',
      ',https://example.com/b,,,,,',
    ),
  );
  expect(found).toMatchObject({
    state: 'completed',
    format: 'linkmill',
    progress: 100,
    rows: 2,
    created: 2,
    skipped: 0,
    failed: 0,
    ignored_columns: [],
    error: null,
  });
  const redirect = await client.get('/import-a');
  expect([redirect.status, redirect.headers.get('location')]).toEqual([301, 'https://example.com/a']);
  expect(await findUrl('import-a')).toMatchObject({
    title: 'A page',
    tags: ['one', 'two'],
    created_at: new Date('2020-02-03T04:05:06Z'),
    expires_at: new Date('2199-01-01T00:00:00Z'),
    max_clicks: 7,
    code_is_generated: false,
    is_active: true,
  });
  const [made] = await service.database.db()('urls').where({ original_url: 'https://example.com/b' });
  expect(made).toMatchObject({
    code_is_generated: true,
    short_code: expect.stringMatching(/^[A-Za-z0-9]{7}$/),
  });
});

test('each row that breaks a rule is in the list of errors with its line, and the others are imported', async () => {
  await importFile(service.client(), csv('short_code,original_url', 'already,https://example.com/there'));
  const found = await importFile(
    service.client(),
    csv(
      'short_code,original_url,created_at,redirect_status,tags,surprise',
      'errors-a,https://example.com/fine,,,,x',
      'errors-b,http://127.0.0.1/private,,,,x',
      'x y,,yesterday,200,,',
      'already,https://example.com/there,,,,',
      'already,https://example.com/elsewhere,,,,',
      'too,few',
      'errors-c,"https://example.com/c"c,,,,',
      'errors-a,https://example.com/other,,,,',
    ),
  );
  expect(found).toMatchObject({ state: 'completed', rows: 8, created: 1, skipped: 1, failed: 6 });
  expect(found['ignored_columns']).toEqual(['surprise']);
  const [header, ...errors] = await readErrors(found['id']);
  expect(header).toEqual(['line', 'field', 'reason', 'row']);
  expect(errors.map(([line, field]) => [line, field])).toEqual([
    ['3', 'original_url'],
    ['4', 'original_url'],
    ['4', 'short_code'],
    ['4', 'created_at'],
    ['4', 'redirect_status'],
    ['6', 'short_code'],
    ['7', 'row'],
    ['8', 'row'],
    ['9', 'short_code'],
  ]);
  expect(errors.at(-1)).toEqual(['9', 'short_code', 'is taken', 'errors-a,https://example.com/other,,,,']);
});

test('what a spreadsheet would take for a formula has an apostrophe before it in the list of errors', async () => {
  const evil = '=HYPERLINK("http://evil.example")';
  const found = await importFile(
    service.client(),
    csv('{"short_code":"x","original_url":"https://example.com"}', JSON.stringify(evil)),
    { type: 'application/x-ndjson' },
  );
  const file = csv(
    'short_code,original_url',
    `${evil.replaceAll('"', '')},https://example.com`,
    '@SUM(A1),-1',
  );
  const other = await importFile(service.client(), file);
  const rows = [...(await readErrors(found['id'])), ...(await readErrors(other['id']))].map(
    (row) => row[3] ?? '',
  );
  expect(rows.filter((row) => /^[=+\-@\t\r]/.test(row))).toEqual([]);
  expect(rows).toContain(`'@SUM(A1),-1`);
});

test('in JSON a number may be a text, and a truth or a list is none', async () => {
  const lines = [7, '7', true, [7], 7.5].map((max, i) =>
    JSON.stringify({ short_code: `number-${i}`, original_url: 'https://example.com/', max_clicks: max }),
  );
  const found = await importFile(service.client(), csv(...lines), { type: 'application/x-ndjson' });
  expect(found).toMatchObject({ rows: 5, created: 2, failed: 3 });
  expect((await findUrl('number-1'))?.['max_clicks']).toBe(7);
});

test('a row that PostgreSQL cannot store is refused, and none but it', async () => {
  const lines = ['zero\u0000', 'half \ud800', 'fine'].map((title, i) =>
    JSON.stringify({ short_code: `stored-${i}`, original_url: 'https://example.com/', title }),
  );
  const late = JSON.stringify({
    short_code: 'stored-3',
    original_url: 'https://example.com/',
    created_at: '9999-12-31T23:59:59-23:59',
  });
  const found = await importFile(service.client(), csv(...lines, late), { type: 'application/x-ndjson' });
  expect(found).toMatchObject({ state: 'completed', rows: 4, created: 1, failed: 3 });
  const errors = await readErrors(found['id']);
  expect(errors.slice(1).map(([line, field]) => [line, field])).toEqual([
    ['1', 'title'],
    ['2', 'title'],
    ['4', 'row'],
  ]);
});

test.each([
  [
    'shlink',
    csv(
      'createdAt,domain,shortCode,shortUrl,longUrl,title,tags,visits',
      '2021-05-06T07:08:09+02:00,s.test,shlink-1,https://s.test/shlink-1,https://example.com/1,One,a|b,12',
    ),
    'text/csv',
    { short_code: 'shlink-1', title: 'One', tags: ['a', 'b'], created_at: new Date('2021-05-06T05:08:09Z') },
    12,
  ],
  [
    'shlink',
    `${JSON.stringify({ shortCode: 'shlink-2', shortUrl: 'https://s.test/shlink-2', longUrl: 'https://example.com/2', dateCreated: '2021-05-06T07:08:09+00:00', tags: ['x'], meta: { validSince: null, validUntil: '2199-01-01T00:00:00+00:00', maxVisits: 9 }, visitsSummary: { total: 3 } })}\n`,
    'application/x-ndjson',
    { short_code: 'shlink-2', tags: ['x'], max_clicks: 9, expires_at: new Date('2199-01-01T00:00:00Z') },
    3,
  ],
  [
    'kutt',
    `${JSON.stringify({ address: 'kutt-1', target: 'https://example.com/k', description: 'K', visit_count: 5, created_at: '2022-01-02T03:04:05.678Z', expire_in: null, banned: false, password: false })}\n`,
    'application/x-ndjson',
    { short_code: 'kutt-1', title: 'K', created_at: new Date('2022-01-02T03:04:05.678Z'), is_active: true },
    5,
  ],
  [
    'yourls',
    csv(
      'keyword,url,title,timestamp,ip,clicks',
      'yourls-1,https://example.com/y,"Y, why",2019-08-07 06:05:04,203.0.113.77,1234',
    ),
    'text/csv',
    { short_code: 'yourls-1', title: 'Y, why', created_at: new Date('2019-08-07T06:05:04Z') },
    1234,
  ],
  [
    'bitly',
    csv(
      'Link,Custom Link,Destination URL,Title,Date Created,Tags',
      'bit.ly/3bitly,bit.ly/bitly-1,https://example.com/bit,Bit,2018-01-01T00:00:00+0000,',
    ),
    'text/csv',
    { short_code: 'bitly-1', title: 'Bit', created_at: new Date('2018-01-01T00:00:00Z') },
    0,
  ],
] as const)('a file from %s is known by its columns', async (format, content, type, expected, clicks) => {
  const found = await importFile(service.client(), content, { type });
  expect(found).toMatchObject({ state: 'completed', format, created: 1, failed: 0 });
  expect(await findUrl(expected.short_code)).toMatchObject(expected);
  const { body } = await service.client().get(`/api/v1/urls/${expected.short_code}`);
  expect(body['click_count']).toBe(clicks);
  const { db } = service.database;
  expect((await readBooks(db())).imported).toBeGreaterThanOrEqual(clicks);
  // The click of another test may be on its way.
  await waitUntil('the books are exact', async () => isExact(await readBooks(db())));
});

test('a Kutt link with a password is not imported: without it, it would be open to everybody', async () => {
  const link = { address: 'kutt-secret', target: 'https://example.com/k', password: true };
  const found = await importFile(service.client(), `${JSON.stringify(link)}\n`, {
    type: 'application/x-ndjson',
  });
  expect(found).toMatchObject({ created: 0, failed: 1 });
  expect((await readErrors(found['id']))[1]).toEqual(expect.arrayContaining(['1', 'has_password']));
});

test('a file without the needed columns fails and says which those are, and which it has; one of a first row alone is imported as nothing', async () => {
  const strange = await importFile(service.client(), csv('a,b', '1,2'));
  expect(strange).toMatchObject({
    state: 'failed',
    rows: 0,
    error: expect.stringMatching(/ linkmill: originalurl;.* It has "a", "b"\.$/),
  });
  const other = await importFile(service.client(), csv('keyword,url', 'abcd,https://example.com'), {
    query: '?format=kutt',
  });
  expect(other).toMatchObject({
    state: 'failed',
    error: expect.stringMatching(/ kutt: address and target\. It has "keyword", "url"\.$/),
  });
  for (const separator of [';', '\t', '|']) {
    const separated = await importFile(service.client(), csv(`short_code${separator}original_url`));
    const has = `It has ${JSON.stringify(`short_code${separator}original_url`)}.`;
    expect(separated['error']).toContain(`${has} Cells must be separated by commas.`);
  }
  const broken = await importFile(service.client(), 'no json\n', { type: 'application/x-ndjson' });
  expect(broken['error']).toMatch(/ Its first row must be a JSON object\.$/);
  const odd = await importFile(service.client(), csv(`\0\uD83D${'\u{1F600}'.repeat(300)}`));
  expect(odd).toMatchObject({ state: 'failed', error: expect.stringMatching(/It has "\\u0000.*…\.$/) });
  expect(await importFile(service.client(), csv('original_url'))).toMatchObject({
    state: 'completed',
    rows: 0,
  });
  expect(await importFile(service.client(), '\n\n')).toMatchObject({
    state: 'failed',
    error: 'The file holds no row.',
  });
});

test('a file of more than 1,000 rows that cannot be read is given up', async () => {
  const rows = Array.from({ length: 1_500 }, (_, i) => `bad"${i},https://example.com/${i}`);
  const found = await importFile(service.client(), csv('short_code,original_url', ...rows));
  expect(found).toMatchObject({ state: 'failed', created: 0, error: 'More than 1000 rows cannot be read.' });
});

test('codes of one to three characters are imported, lead on and can be asked for and changed, but not made', async () => {
  const client = service.client();
  const codes = ['q', '-7', 'Abc'];
  const rows = [...codes, 'api', 'a b', 'Docs'].map((code) => `${code},https://example.com/${code}`);
  const found = await importFile(client, csv('short_code,original_url', ...rows));
  expect(found).toMatchObject({ created: 3, failed: 3 });
  for (const code of codes) {
    expect((await client.get(`/${code}`)).headers.get('location')).toBe(`https://example.com/${code}`);
    expect((await client.get(`/${code}+`)).status).toBe(200);
    const path = `/api/v1/urls/${code}`;
    expect((await client.get(path)).body).toMatchObject({ short_code: code });
    expect((await client.patch(path, { title: 'A page' })).body).toMatchObject({ title: 'A page' });
    expect((await client.get(`${path}/analytics`)).status).toBe(200);
    expect((await client.get(`${path}/qr`)).status).toBe(200);
    expect((await client.delete(path)).status).toBe(204);
    expect((await client.get(`/${code}`)).status).toBe(404);
  }
  const body = { original_url: 'https://example.com/', custom_code: 'abc' };
  expect((await client.post('/api/v1/urls', body)).status).toBe(422);
});

test('a code leads on as soon as it is imported, though it was asked for in vain or led elsewhere before it was purged', async () => {
  const client = service.client();
  await createUrl(client, { custom_code: 'purged-1' });
  expect((await client.get('/purged-1')).status).toBe(301);
  await client.delete('/api/v1/urls/purged-1');
  await createUrlCleanupStore(service.database.db()).purge(new Date(Date.now() + 60_000), 0, 0, 1_000);
  // What the job that brings the cache up to date has seen before.
  await service.database.db()('url_removals').delete();
  for (const code of ['purged-1', 'in-vain-1']) expect((await client.get(`/${code}`)).status).toBe(404);
  const rows = ['purged-1', 'in-vain-1'].map((code) => `${code},https://example.com/${code}`);
  await importFile(client, csv('short_code,original_url', ...rows));
  const locations = ['purged-1', 'in-vain-1'].map((code) => `https://example.com/${code}`);
  const ask = async (code: string) => (await client.get(`/${code}`)).headers.get('location');
  await waitUntil(
    'they lead on',
    async () => (await Promise.all(['purged-1', 'in-vain-1'].map(ask))).join() === locations.join(),
    3_000,
  );
});

test('an upload that is empty, too long, of another type or compressed is refused, and nothing of it is left', async () => {
  const client = service.client();
  const before = (await client.get('/api/v1/imports')).body['imports'];
  const send = async (body: string, headers: Record<string, string>) =>
    (await client.post('/api/v1/imports', body, headers)).status;
  expect(await send('', { 'content-type': 'text/csv' })).toBe(422);
  expect(await send('x'.repeat(2_000_001), { 'content-type': 'text/csv' })).toBe(413);
  expect(await send('{}', { 'content-type': 'application/json' })).toBe(415);
  expect(await send('a', { 'content-type': 'text/csv', 'content-encoding': 'gzip' })).toBe(415);
  expect((await client.post('/api/v1/imports?format=xls', 'a', { 'content-type': 'text/csv' })).status).toBe(
    422,
  );
  expect((await client.get('/api/v1/imports')).body['imports']).toEqual(before);
});

test('an import that was removed is known no more, and what it has created stays', async () => {
  const client = service.client();
  const { id } = await importFile(client, csv('short_code,original_url', 'removed-1,https://example.com/r'));
  const removed = await client.delete(`/api/v1/imports/${String(id)}`);
  expect([removed.status, removed.body['created']]).toEqual([200, 1]);
  for (const path of [`/api/v1/imports/${String(id)}`, `/api/v1/imports/${String(id)}/errors`]) {
    expect((await client.get(path)).status).toBe(404);
  }
  expect((await client.delete(`/api/v1/imports/${String(id)}`)).status).toBe(404);
  expect((await client.get('/removed-1')).status).toBe(301);
});
