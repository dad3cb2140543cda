import { once } from 'node:events';
import net from 'node:net';
import { expect, test } from 'vitest';
import { importFile } from '../../support/http/imports.ts';
import { useService } from '../../support/processes/service.ts';
import { waitUntil } from '../../support/wait-until.ts';

const service = useService({ IMPORT_MAX_FILE_MB: '12', RATE_LIMIT_PER_KEY: '1000000' });
const csv = (...lines: string[]) => lines.map((line) => `${line}\n`).join('');

const jsonRow = '{"original_url":"https://example.com/in-json"}';

const preview = async (content: string | Buffer, { type = 'text/csv', query = '' } = {}) =>
  await service.client().post(`/api/v1/imports?dry_run=true${query}`, content, { 'content-type': type });
const countOf = async (table: string) =>
  Number((await service.database.db()(table).count<{ count: string }[]>('* as count'))[0]!.count);

test('a preview shows format, columns, short URLs and problems, and stores nothing', async () => {
  const before = [await countOf('urls'), await countOf('imports')];
  const { status, body } = await preview(
    csv(
      'Short Code,original_url,title,tags,secret_field',
      'preview-a,https://example.com/a,A page,one|two,x',
      ',javascript:alert(1),,,x',
      ',https://example.com/c,,,x',
    ),
  );
  expect(status).toBe(200);
  expect(body).toMatchObject({
    format: 'linkmill',
    rows: 3,
    is_whole_file: true,
    failed: 1,
    mapped_columns: { short_code: 'shortcode', original_url: 'originalurl', title: 'title', tags: 'tags' },
    ignored_columns: ['secret_field'],
    items: [
      {
        short_code: 'preview-a',
        original_url: 'https://example.com/a',
        title: 'A page',
        tags: ['one', 'two'],
      },
      { short_code: null, original_url: 'https://example.com/c', title: null },
    ],
    problems: [{ line: 3, field: 'original_url', code: 'invalid' }],
  });
  expect([await countOf('urls'), await countOf('imports')]).toEqual(before);
});

test.each([
  [
    'csv',
    'short_code,original_url\nsame-1,ftp://a\nbad code!,https://example.com/\n"open,https://example.com\n',
    'text/csv',
  ],
  ['json', '[{"short_code":"j-1","original_url":"nope"},7,{"short_code":"j-2"}]', 'application/json'],
  ['ndjson', '{"short_code":"n-1","original_url":"https://"}\n{broken\n[]\n', 'application/x-ndjson'],
])('the problems of a preview of %s equal those of the import', async (_, content, type) => {
  const { body } = await preview(content, { type });
  const found = await importFile(service.client(), content, { type });
  const response = await fetch(`${service.baseUrl()}/api/v1/imports/${String(found['id'])}/errors`, {
    headers: { 'x-api-key': service.apiKey() },
  });
  const problems = body['problems'] as { line: number; field: string; reason: string }[];
  const lines = (await response.text()).trim().split('\n').slice(1);
  expect(body['failed']).toBe(found['failed']);
  expect(problems.length).toBeGreaterThan(0);
  expect(lines.map((line) => line.split(',').slice(0, 2))).toEqual(
    problems.map(({ line, field }) => [String(line), field]),
  );
});

/** Why the upload of a file is rejected, or its import fails. */
async function whyImportFails(content: string | Buffer): Promise<unknown> {
  const client = service.client();
  const { status, headers, body } = await client.post('/api/v1/imports', content, {
    'content-type': 'text/csv',
  });
  if (status !== 202) return body['detail'];
  return await waitUntil('the import has failed', async () => {
    const { body } = await client.get(headers.get('location')!);
    return body['error'] ?? false;
  });
}

test.each([
  ['an unknown format', 'a,b\n1,2\n'],
  ['no content', ''],
  ['a binary file', Buffer.from([0x50, 0x4b, 3, 4, 0, 0, 0, 0])],
  ['an ambiguous column', 'short_code,original_url,original_url\na,b,c\n'],
])('a file with %s is a 422 with the reason of the import', async (_, content) => {
  const answer = await preview(content);
  expect(answer).toBeProblem('validation-failed');
  expect(await whyImportFails(content)).toBe(answer.body['detail']);
});

test('a column mapping applies to a preview', async () => {
  const { body } = await preview('slug,target\nmapped-1,https://example.com/m\n', {
    query: '&columns=short_code:slug,url:target',
  });
  expect(body).toMatchObject({
    format: 'custom',
    mapped_columns: { short_code: 'slug', original_url: 'target' },
    items: [{ short_code: 'mapped-1' }],
  });
});

test('a long file is read up to 1,000 rows, without a problem of an incomplete row', async () => {
  const rows = (count: number, length: number) =>
    Array.from({ length: count }, (_, i) => `long-${i},https://example.com/${'x'.repeat(length)}`);
  const many = await preview(csv('short_code,original_url', ...rows(3_000, 10)));
  expect(many.body).toMatchObject({ rows: 1_000, failed: 0, is_whole_file: false });
  expect(many.body['items']).toHaveLength(100);
  const exact = await preview(csv('short_code,original_url', ...rows(1_000, 10)));
  expect(exact.body).toMatchObject({ rows: 1_000, is_whole_file: true });
  const wide = await preview(csv('short_code,original_url', ...rows(2_400, 1_900)));
  expect(wide.body).toMatchObject({ failed: 0, is_whole_file: false });
});

test.each([
  ['after', `{"links":[${jsonRow}],"rest":[${'1,'.repeat(4_500_000)}1]}`, 1],
  ['in the middle of', `{"links":[${jsonRow},{"original_url":"${'x'.repeat(9_000_000)}"}]}`, 1],
])('a JSON document is read up to 8 MB, here %s a row', async (_, content, rows) => {
  const { status, body } = await preview(content, { type: 'application/json' });
  expect(status).toBe(200);
  expect(body).toMatchObject({ rows, failed: 0, is_whole_file: false });
});

test('a document without a row in the first 8 MB is a 422 that says so', async () => {
  const content = `{"rest":[${'1,'.repeat(4_500_000)}1],"links":[${jsonRow}]}`;
  const answer = await preview(content, { type: 'application/json' });
  expect(answer).toBeProblem('validation-failed');
  expect(answer.body['detail']).toContain('the first 8 megabytes');
});

test('a preview is answered before the rest of a long upload arrives, and the connection ends', async () => {
  const { hostname, port } = new URL(service.baseUrl());
  const socket = net.connect(Number(port), hostname);
  const head = [
    'POST /api/v1/imports?dry_run=true HTTP/1.1',
    'Host: linkmill',
    `x-api-key: ${service.apiKey()}`,
    'Content-Type: text/csv',
    'Content-Length: 4900000',
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\nshort_code,original_url\n`);
  const row = `,https://example.com/${'y'.repeat(1_000)}\n`;
  socket.write(row.repeat(2_100));
  socket.on('error', () => undefined);
  let answer = '';
  socket.on('data', (data: Buffer) => (answer += data.toString()));
  await once(socket, 'close');
  expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  expect(answer.toLowerCase()).toContain('connection: close');
  expect((await preview('short_code,original_url\n,https://example.com/next\n')).status).toBe(200);
});

test.each(['maybe', ''])('dry_run=%s is a 422', async (value) => {
  const answer = await service
    .client()
    .post(`/api/v1/imports?dry_run=${value}`, 'a,b\n', { 'content-type': 'text/csv' });
  expect(answer.status).toBe(422);
});
