import { expect, test } from 'vitest';
import { useWeb } from '../../support/http/web-app.ts';
import { createUrl } from '../../support/urls/urls.ts';

const web = useWeb({
  BASE_URL: '/go',
  BULL_BOARD_PASSWORD: 'board-password',
  METRICS_PUBLIC: 'true',
});
const origin = () => new URL(web.baseUrl()).origin;
const page = 'https://example.com/below';
const login = `Basic ${Buffer.from('admin:board-password').toString('base64')}`;

const read = async (path: string, headers: Record<string, string> = {}) => {
  const response = await fetch(`${origin()}${path}`, { headers, redirect: 'manual' });
  return { status: response.status, text: await response.text(), location: response.headers.get('location') };
};

test('a short URL redirects with the base path, and without it behind a proxy that removes it', async () => {
  const { body } = await web.client().post('/api/v1/urls', { original_url: page, custom_code: 'go-on' });
  expect(body['short_url']).toBe(`${origin()}/go/go-on`);
  for (const path of ['/go/go-on', '/go-on', '/go/go%2Don', '/go/go-on?a=1'])
    for (let i = 0; i < 2; i += 1) expect((await read(path)).location, path).toBe(page);
  for (const path of ['/gogo-on', '/go/go/go-on', '/go//go-on']) expect((await read(path)).status).toBe(404);
});

test('pages link to paths below the base path', async () => {
  await createUrl(web.client(), { original_url: page, custom_code: 'linked' });
  const preview = await read('/go/linked+', { accept: 'text/html' });
  expect(preview.text).toContain('href="/go/linked"');
  expect(preview.text).toContain('href="/go/report?code=linked"');
  expect((await read('/go/report')).text).toContain('action="/go/report"');
  const answer = await fetch(`${origin()}/go/report`, {
    method: 'POST',
    headers: { origin: origin(), accept: 'application/json' },
    body: new URLSearchParams({ short_code: 'linked', reason: 'spam' }),
  });
  expect(answer.status).toBe(202);
});

test('the API page and the OpenAPI document contain the base path', async () => {
  const docs = (await read('/go/docs')).text;
  const assets = [...docs.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path]) => path!);
  expect(assets.length).toBeGreaterThan(2);
  for (const path of assets) {
    expect(path).toMatch(/^\/go\/(docs\/|favicon\.svg$)/);
    expect((await read(path)).status).toBe(200);
  }
  expect((await read('/go/docs/start.js')).text).toContain(`'/go/openapi.json'`);
  expect(JSON.parse((await read('/go/openapi.json')).text).servers).toEqual([{ url: '/go' }]);
});

test('Bull Board works below the base path', async () => {
  const { status, text } = await read('/go/admin/queues', { authorization: login });
  expect(status).toBe(200);
  expect(text).toContain('<base href="/go/admin/queues/"');
  const [script] = /static\/js\/main[^"]+/.exec(text) ?? [];
  expect((await read(`/go/admin/queues/${script}`, { authorization: login })).status).toBe(200);
  expect((await read('/go/admin/queues/api/queues', { authorization: login })).status).toBe(200);
  expect((await read('/go/admin/queues')).status).toBe(401);
});

test('probes and metrics answer with and without the base path', async () => {
  for (const path of ['/health', '/health/live', '/health/ready', '/metrics', '/']) {
    expect((await read(path)).status).toBe(200);
    expect((await read(`/go${path}`)).status).toBe(200);
  }
  expect((await read('/go')).status).toBe(200);
  expect((await read('/go/robots.txt')).text).toContain('Disallow: /go/');
});

test('paths in responses are below the base path', async () => {
  const client = web.client();
  await createUrl(client, { original_url: page, custom_code: 'deleted' });
  await client.delete('/api/v1/urls/deleted');
  const wanted = { original_url: page, custom_code: 'deleted' };
  const { body } = await client.post('/api/v1/urls', wanted);
  expect(body).toMatchObject({
    restore_path: '/go/api/v1/urls/deleted/restore',
    detail: expect.stringContaining('POST /go/api/v1/urls/deleted/restore'),
  });
  expect(body['detail']).toContain('DELETE /go/api/v1/urls/deleted?purge=true');
  const bulk = await client.post('/api/v1/urls/bulk', { urls: [wanted] });
  const { type, restore_path } = body;
  expect(type).toBe(`${origin()}/go/docs/problems#code-deleted`);
  expect(bulk.body['results']).toMatchObject([{ problem: { type, restore_path } }]);
  const made = await client.post('/api/v1/exports', { kind: 'urls', format: 'csv' });
  expect(made.headers.get('location')).toMatch(/^\/go\/api\/v1\/exports\/\d+$/);
});

test('a short URL may redirect to its host, but not below the base path', async () => {
  const host = new URL(web.baseUrl()).host;
  const create = async (path: string) =>
    (await web.client().post('/api/v1/urls', { original_url: `http://${host}${path}` })).body['errors'];
  const own = [{ field: 'original_url', detail: 'must not lead back to this service' }];
  expect(await create('/go/x')).toEqual(own);
  expect(await create('/%67O/x')).toEqual(own);
  expect(await create('/blog')).not.toEqual(own);
});
