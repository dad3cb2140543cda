import { expect, test } from 'vitest';
import { importFile } from '../../support/http/imports.ts';
import { useService } from '../../support/processes/service.ts';
import { waitUntil } from '../../support/wait-until.ts';

const service = useService({ IMPORT_MAX_FILE_MB: '2' });

test('an empty, oversized, compressed or unsupported upload is rejected', async () => {
  const client = service.client();
  const before = (await client.get('/api/v1/imports')).body['items'];
  const send = async (body: string, headers: Record<string, string>) =>
    (await client.post('/api/v1/imports', body, headers)).status;
  expect(await send('', { 'content-type': 'text/csv' })).toBe(422);
  expect(await send('x'.repeat(2_000_001), { 'content-type': 'text/csv' })).toBe(413);
  expect(await send('{}', { 'content-type': 'image/png' })).toBe(415);
  expect(await send('a', { 'content-type': 'text/csv', 'content-encoding': 'gzip' })).toBe(415);
  expect((await client.post('/api/v1/imports?format=xls', 'a', { 'content-type': 'text/csv' })).status).toBe(
    422,
  );
  expect((await client.get('/api/v1/imports')).body['items']).toEqual(before);
});

/** Sends a form with these parts; resolves to the status and the received part of the answer. */
async function sendForm(parts: [string, string | Blob, string?][], query = '') {
  const form = new FormData();
  for (const [name, value, file] of parts) {
    if (typeof value === 'string') form.append(name, value);
    else form.append(name, value, file);
  }
  const headers = { 'x-api-key': service.apiKey() };
  const response = await fetch(`${service.baseUrl()}/api/v1/imports${query}`, {
    method: 'POST',
    headers,
    body: form,
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const formFile = new Blob(['slug;target\nform-1;https://example.com/form\n'], {
  type: 'application/vnd.ms-excel',
});

test('the file of a form is imported with a column mapping', async () => {
  const parts: [string, string | Blob, string?][] = [
    ['comment', 'from a browser'],
    ['file', formFile, 'links.csv'],
  ];
  const { status, body } = await sendForm(parts, '?columns=short_code:slug,url:target');
  expect(status).toBe(202);
  expect(body['format']).toBe('custom');
  await waitUntil(
    'the row is imported',
    async () => (await service.client().get('/api/v1/urls/form-1')).status === 200,
  );
});

test('a form without exactly one complete file is rejected', async () => {
  const client = service.client();
  const idsOfImports = async () =>
    ((await client.get('/api/v1/imports')).body['items'] as { id: number }[]).map(({ id }) => id);
  const before = await idsOfImports();
  expect((await sendForm([['file', 'a,b']])).body['detail']).toMatch(/no file/);
  const two = await sendForm([
    ['a', formFile, 'a.csv'],
    ['b', formFile, 'b.csv'],
  ]);
  expect(two.status).toBe(422);
  expect(two.body['detail']).toMatch(/more than one file/);
  const huge = await sendForm([['a', new Blob(['x'.repeat(2_100_000)]), 'a.csv']]);
  expect(huge.status).toBe(413);
  const type = { 'content-type': 'multipart/form-data; boundary=x' };
  const start =
    '--x\r\ncontent-disposition: form-data; name="file"; filename="a.csv"\r\n\r\nshort_code,original_url\n';
  expect((await client.post('/api/v1/imports', start, type)).status).toBe(408);
  expect(
    (await client.post('/api/v1/imports', 'none', { 'content-type': 'multipart/form-data' })).status,
  ).toBe(422);
  expect(await idsOfImports()).toEqual(before);
});

test.each([
  'text/csv',
  'application/csv',
  'text/plain; charset=utf-8',
  'text/tab-separated-values',
  'application/vnd.ms-excel',
  'application/octet-stream',
])('the format of a file sent as %s is detected', async (type) => {
  const code = `type-${type.replaceAll(/\W/g, '-')}`.slice(0, 30);
  const found = await importFile(
    service.client(),
    `short_code\toriginal_url\n${code}\thttps://example.com/\n`,
    { type },
  );
  expect(found).toMatchObject({ state: 'completed', created: 1, charset: 'utf-8' });
});

test('an invalid column mapping is rejected with a reason', async () => {
  for (const [query, reason] of [
    ['?columns=title:name', 'must name the column of original_url'],
    ['?columns=slug:short_code', 'must have one of these fields before each colon'],
    ['?columns=url:a,original_url:b', 'names original_url twice'],
    ['?columns=url:', 'must name a column for original_url'],
    ['?columns=url:a&format=kutt', 'must not be given together with format'],
  ]) {
    const { status, body } = await service
      .client()
      .post(`/api/v1/imports${query}`, 'a', { 'content-type': 'text/csv' });
    expect(status).toBe(422);
    expect(JSON.stringify(body)).toContain(reason!);
  }
  const named = await service
    .client()
    .post('/api/v1/imports?charset=klingon', 'a', { 'content-type': 'text/csv' });
  expect(named.status).toBe(422);
  expect(named.body['detail']).toBe('Unknown character set "klingon".');
});
