import { parse } from 'csv-parse/sync';
import { expect, test } from 'vitest';
import { isExact, readAudit } from '../../../src/clicks/ledger/audit.ts';
import { createUrlCleanupStore } from '../../../src/urls/store/cleanup-store.ts';
import { importFile } from '../../support/http/imports.ts';
import { useService } from '../../support/processes/service.ts';
import { createUrl } from '../../support/urls/urls.ts';
import { waitUntil } from '../../support/wait-until.ts';

const service = useService({ IMPORT_MAX_FILE_MB: '2' });
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

test('a file with Linkmill’s columns is imported, with generated codes where missing', async () => {
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
  expect(redirect.status).toBe(301);
  expect(redirect.headers.get('location')).toBe('https://example.com/a');
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

test('each invalid row is in the error report, and the others are imported', async () => {
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
  expect(header).toEqual(['line', 'field', 'reason', 'row', 'code']);
  expect(errors.map(([line, field]) => [line, field])).toEqual([
    ['3', 'original_url'],
    ['4', 'original_url'],
    ['4', 'short_code'],
    ['6', 'short_code'],
    ['7', 'row'],
    ['8', 'row'],
    ['9', 'short_code'],
  ]);
  const row = 'errors-a,https://example.com/other,,,,';
  expect(errors.at(-1)).toEqual(['9', 'short_code', 'is taken', row, 'code-taken']);
  expect(errors.at(-2)?.[4]).toBe('unreadable');
});

test('a value that looks like a formula starts with an apostrophe in the error report', async () => {
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

test('JSON numbers are accepted as text; booleans and lists are not', async () => {
  const lines = [7, '7', true, [7], 7.5].map((max, i) =>
    JSON.stringify({ short_code: `number-${i}`, original_url: 'https://example.com/', max_clicks: max }),
  );
  const found = await importFile(service.client(), csv(...lines), { type: 'application/x-ndjson' });
  expect(found).toMatchObject({ rows: 5, created: 2, failed: 3 });
  expect((await findUrl('number-1'))?.['max_clicks']).toBe(7);
});

/** The warnings in the report of an import, by short code. */
async function readWarnings(id: unknown): Promise<string[][]> {
  const response = await fetch(`${service.baseUrl()}/api/v1/imports/${String(id)}/warnings`, {
    headers: { 'x-api-key': service.apiKey() },
  });
  return parse(await response.text());
}

test('invalid optional values are dropped with a warning', async () => {
  const values = {
    title: ['two\r\nlines\u0000', 'x'.repeat(201), '\u0007', ['another type'], 'half \ud800'],
    notes: ['a\u0000b\nc', 'x'.repeat(2_001)],
    tags: [Array.from({ length: 21 }, (_, i) => `t${i}`), ['x'.repeat(51), 'a\nb'], 7],
    created_at: ['yesterday', '2020-02-30', '0000-00-00 00:00:00', '9999-12-31T23:59:59-23:59'],
    last_accessed_at: ['never'],
    click_count: ['many', -1, 2e9],
    redirect_status: [200, 'permanent'],
    redirect_max_age_seconds: ['long'],
    forward_query: ['perhaps'],
    crawlable: ['perhaps'],
    fallback_url: ['no url', 'http://127.0.0.1/'],
  };
  const rows = Object.entries(values).flatMap(([field, given]) =>
    given.map((value) => [field, value] as const),
  );
  const lines = rows.map(([field, value], i) =>
    JSON.stringify({ short_code: `kept-${i}`, original_url: 'https://example.com/', [field]: value }),
  );
  const found = await importFile(service.client(), csv(...lines), { type: 'application/x-ndjson' });
  expect(found).toMatchObject({ created: rows.length, failed: 0, warning_count: rows.length });
  const { body } = await service.client().get(`/api/v1/imports/${String(found['id'])}`);
  const warnings = body['warnings'] as { line: number; field: string; reason: string }[];
  expect(warnings.map(({ line, field }) => [line, field])).toEqual(rows.map(([field], i) => [i + 1, field]));
  expect(await findUrl('kept-0')).toMatchObject({ title: 'two lines' });
  expect(await findUrl('kept-1')).toMatchObject({ title: 'x'.repeat(200) });
  expect((await findUrl('kept-7'))?.['tags']).toHaveLength(20);
  expect(await findUrl('kept-8')).toMatchObject({ tags: ['x'.repeat(50), 'a b'] });
  const [header, first] = await readWarnings(found['id']);
  expect(header).toEqual(['line', 'field', 'code', 'reason']);
  expect(first?.slice(0, 3)).toEqual(['1', 'title', 'cleaned']);
  expect(JSON.stringify([body, await readWarnings(found['id'])])).not.toMatch(
    /xxx|yesterday|perhaps|another/,
  );
});

test('a row with malformed UTF-8 or quotes is imported unless code or URL are affected', async () => {
  const [good, bad] = ['Gr\xc3\xb6\xc3\x9fe', 'Gr\xff\xdfe'];
  const content = csv(
    'short_code,original_url,title',
    `utf-1,https://example.com/,${good}`,
    `utf-2,https://example.com/,${bad}`,
    `utf-3,https://example.com/${bad},x`,
    `utf-${bad},https://example.com/,x`,
    'utf-5,https://example.com/,a 7" tablet',
  );
  const found = await importFile(service.client(), Buffer.from(content, 'latin1'));
  expect(found).toMatchObject({ charset: 'utf-8', created: 3, failed: 2, warning_count: 1 });
  expect((await findUrl('utf-1'))?.['title']).toBe('Größe');
  expect((await findUrl('utf-2'))?.['title']).toBe('Gr\uFFFD\uFFFDe');
  expect((await findUrl('utf-5'))?.['title']).toBe('a 7" tablet');
  expect((await readErrors(found['id'])).slice(1).map(([line, field]) => [line, field])).toEqual([
    ['4', 'original_url'],
    ['5', 'short_code'],
  ]);
});

test('a row with unreadable access rules is rejected', async () => {
  const values = {
    expires_at: ['soon', '2020-02-30', '0000-00-00 00:00:00', 'null', '9999-12-31T23:59:59-23:59'],
    starts_at: ['soon'],
    max_clicks: ['few', 0, -1, '1.5', [7]],
    is_active: ['perhaps'],
    is_one_time: ['perhaps'],
    has_password: ['perhaps', true],
  };
  const rows = Object.entries(values).flatMap(([field, given]) =>
    given.map((value) => [field, value] as const),
  );
  const lines = rows.map(([field, value], i) =>
    JSON.stringify({ short_code: `closed-${i}`, original_url: 'https://example.com/', [field]: value }),
  );
  const found = await importFile(service.client(), csv(...lines), { type: 'application/x-ndjson' });
  expect(found).toMatchObject({ created: 0, failed: rows.length });
  const errors = (await readErrors(found['id'])).slice(1);
  expect(errors.map(([line, field]) => [line, field])).toEqual(rows.map(([field], i) => [`${i + 1}`, field]));
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
] as const)('a file from %s is detected by its columns', async (format, content, type, expected, clicks) => {
  const found = await importFile(service.client(), content, { type });
  expect(found).toMatchObject({ state: 'completed', format, created: 1, failed: 0 });
  expect(await findUrl(expected.short_code)).toMatchObject(expected);
  const { body } = await service.client().get(`/api/v1/urls/${expected.short_code}`);
  expect(body['click_count']).toBe(clicks);
  const { db } = service.database;
  expect((await readAudit(db())).imported).toBeGreaterThanOrEqual(clicks);
  // Clicks of another test may still be in transit.
  await waitUntil('the audit is exact', async () => isExact(await readAudit(db())));
});

test('a Kutt link with a password is rejected rather than imported without it', async () => {
  const link = { address: 'kutt-secret', target: 'https://example.com/k', password: true };
  const found = await importFile(service.client(), `${JSON.stringify(link)}\n`, {
    type: 'application/x-ndjson',
  });
  expect(found).toMatchObject({ created: 0, failed: 1 });
  expect((await readErrors(found['id']))[1]).toEqual(expect.arrayContaining(['1', 'has_password']));
});

test('a file without the required columns fails and lists them', async () => {
  const strange = await importFile(service.client(), csv('a,b,Title', '1,2,3'));
  expect(strange).toMatchObject({
    state: 'failed',
    rows: 0,
    error: expect.stringMatching(
      /^The columns do not match a known service .* It has columns: title, and 2 unknown ones\.$/,
    ),
  });
  const other = await importFile(service.client(), csv('keyword,url', 'abcd,https://example.com'), {
    query: '?format=kutt',
  });
  expect(other['error']).toMatch(/ address and target and .* It has columns: keyword, url\.$/);
  const broken = await importFile(service.client(), 'no json\n', { type: 'application/x-ndjson' });
  expect(broken['error']).toMatch(/ Its first row must be a JSON object\.$/);
  expect(await importFile(service.client(), csv('original_url'))).toMatchObject({
    state: 'completed',
    rows: 0,
  });
  expect(await importFile(service.client(), '\n\n')).toMatchObject({
    state: 'failed',
    error: 'The file contains no rows.',
  });
});

test('a file without a header row is neither echoed nor stored', async () => {
  const row = 'secret-code,https://private.example/path?token=1,A title,2020-01-01 00:00:00,203.0.113.99,5';
  const files = [
    [row, 'text/csv'],
    [row.replaceAll(',', ';'), 'text/csv'],
    [
      JSON.stringify({ 'secret-code': 'https://private.example/path?token=1', '203.0.113.99': 5 }),
      'application/x-ndjson',
    ],
    [`short_code,original_url,secret@private.example,203.0.113.99\n`, 'text/csv'],
  ] as const;
  for (const [content, type] of files) {
    const found = await importFile(service.client(), csv(content, content), { type });
    const [stored] = await service.database
      .db()('imports')
      .where({ id: Number(found['id']) });
    expect(JSON.stringify([found, stored])).not.toMatch(/secret-code|private\.example|203\.0/);
  }
});

test('an import fails after 1,000 unreadable rows', async () => {
  const rows = Array.from({ length: 1_500 }, (_, i) => `"bad"${i},https://example.com/${i}`);
  const found = await importFile(service.client(), csv('short_code,original_url', ...rows));
  expect(found).toMatchObject({ state: 'failed', created: 0, error: 'More than 1000 rows are unreadable.' });
});

test('a row restores a deleted short URL of the same API key only', async () => {
  const client = service.client();
  const rows = ['back-1', 'back-2'].map((code) => `${code},https://example.com/${code},New`);
  await importFile(client, csv('short_code,original_url,title', ...rows));
  for (const code of ['back-1', 'back-2']) {
    expect((await client.get(`/${code}`)).status).toBe(301);
    expect((await client.delete(`/api/v1/urls/${code}`)).status).toBe(204);
  }
  const again = csv('short_code,original_url,title', rows[0]!, rows[0]!, 'back-2,https://example.com/other,');
  const found = await importFile(client, again);
  expect(found).toMatchObject({ rows: 3, created: 0, restored: 1, skipped: 1, failed: 1, warning_count: 1 });
  expect((await readErrors(found['id']))[1]).toEqual(expect.arrayContaining(['4', 'code-deleted']));
  expect((await readWarnings(found['id']))[1]?.slice(0, 3)).toEqual(['2', 'short_code', 'restored']);
  expect((await client.get('/back-1')).headers.get('location')).toBe('https://example.com/back-1');
  expect((await client.get('/back-2')).status).toBe(404);
});

test('codes of 1 to 3 characters can be imported and updated but not created', async () => {
  const client = service.client();
  const codes = ['q', '-7', 'Abc'];
  const rows = [...codes, 'api', 'a b', 'Docs'].map((code) => `${code},https://example.com/${code}`);
  const found = await importFile(client, csv('short_code,original_url', ...rows));
  expect(found).toMatchObject({ created: 3, failed: 3 });
  for (const code of codes) {
    expect(await client.get(`/${code}`)).toRedirectTo(`https://example.com/${code}`);
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

test('an imported code redirects at once, despite negative or stale cache entries', async () => {
  const client = service.client();
  await createUrl(client, { custom_code: 'purged-1' });
  expect((await client.get('/purged-1')).status).toBe(301);
  await client.delete('/api/v1/urls/purged-1');
  await createUrlCleanupStore(service.database.db()).purge(new Date(Date.now() + 60_000), 0, 0, 1_000);
  // Changes that the reconciliation job has already processed.
  await service.database.db()('url_removals').delete();
  for (const code of ['purged-1', 'unknown-1']) expect((await client.get(`/${code}`)).status).toBe(404);
  const rows = ['purged-1', 'unknown-1'].map((code) => `${code},https://example.com/${code}`);
  await importFile(client, csv('short_code,original_url', ...rows));
  const locations = ['purged-1', 'unknown-1'].map((code) => `https://example.com/${code}`);
  const readLocation = async (code: string) => (await client.get(`/${code}`)).headers.get('location');
  await waitUntil(
    'both codes redirect to the new URLs',
    async () => (await Promise.all(['purged-1', 'unknown-1'].map(readLocation))).join() === locations.join(),
    3_000,
  );
});

test('a deleted import is not found, and its short URLs remain', async () => {
  const client = service.client();
  const { id } = await importFile(client, csv('short_code,original_url', 'removed-1,https://example.com/r'));
  const removed = await client.delete(`/api/v1/imports/${String(id)}`);
  expect(removed.status).toBe(200);
  expect(removed.body['created']).toBe(1);
  for (const path of [`/api/v1/imports/${String(id)}`, `/api/v1/imports/${String(id)}/errors`]) {
    expect((await client.get(path)).status).toBe(404);
  }
  expect((await client.delete(`/api/v1/imports/${String(id)}`)).status).toBe(404);
  expect((await client.get('/removed-1')).status).toBe(301);
});
