import { expect, test } from 'vitest';
import { useWeb } from '../../support/http/web-app.ts';
import { createUrl } from '../../support/urls/urls.ts';

const app = 'https://app.example';
const web = useWeb({ CORS_ORIGINS: 'https://APP.example:443, chrome-extension://abcdefgh' });
const urls = '/api/v1/urls';

/** Sends a request like a page of an origin. */
async function send(method: string, path: string, headers: Record<string, string> = {}, body?: string) {
  const response = await fetch(web.baseUrl() + path, {
    method,
    headers,
    redirect: 'manual',
    ...(body && { body }),
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}
const preflight = async (path: string, origin: string) =>
  await send('OPTIONS', path, {
    origin,
    'access-control-request-method': 'PATCH',
    'access-control-request-headers': 'content-type,x-api-key',
  });

test('a preflight of an allowed origin is answered without an API key', async () => {
  const { status, headers } = await preflight(`${urls}/abcdef`, app);
  expect(status).toBe(204);
  expect(headers.get('access-control-allow-origin')).toBe(app);
  expect(headers.get('access-control-allow-methods')).toContain('PATCH');
  expect(headers.get('access-control-allow-headers')?.toLowerCase()).toContain('x-api-key');
  expect(headers.get('access-control-allow-credentials')).toBeNull();
  expect(headers.get('vary')).toContain('Origin');
});

test('an allowed origin can read answers, errors and headers', async () => {
  const good = await send('GET', urls, { origin: app, 'x-api-key': web.apiKey() });
  expect(good.status).toBe(200);
  expect(good.headers.get('access-control-allow-origin')).toBe(app);
  expect(good.headers.get('access-control-expose-headers')).toContain('ETag');
  expect(good.headers.get('access-control-expose-headers')).toContain('RateLimit-Policy');
  const rejected = await send('GET', urls, { origin: app });
  expect(rejected.status).toBe(401);
  expect(rejected.headers.get('access-control-allow-origin')).toBe(app);
  const document = await send('GET', '/openapi.json', { origin: 'chrome-extension://abcdefgh' });
  expect(document.headers.get('access-control-allow-origin')).toBe('chrome-extension://abcdefgh');
});

test.each(['https://other.example', 'http://app.example', 'https://app.example:8443', 'null'])(
  'the origin %s cannot read answers',
  async (origin) => {
    for (const { headers } of [
      await preflight(urls, origin),
      await send('GET', urls, { origin, 'x-api-key': web.apiKey() }),
    ]) {
      expect(headers.get('access-control-allow-origin')).toBeNull();
      expect(headers.get('vary')).toContain('Origin');
    }
  },
);

test('other origins cannot read pages, health or redirects', async () => {
  const code = await createUrl(web.client());
  for (const path of ['/', '/health', '/docs', `/${code}`, `/${code}+`, '/report']) {
    const { headers } = await send('GET', path, { origin: app });
    expect(headers.get('access-control-allow-origin'), path).toBeNull();
  }
});

test.each([
  'application/merge-patch+json',
  'application/merge-patch+json; charset=utf-8',
  'application/json',
])('a PATCH accepts %s', async (type) => {
  const code = await createUrl(web.client(), { title: 'Old', notes: 'Note' });
  const headers = { 'content-type': type, 'x-api-key': web.apiKey() };
  const answer = await send('PATCH', `${urls}/${code}`, headers, '{"title":null}');
  expect(answer.status).toBe(200);
  expect(JSON.parse(answer.text)).toMatchObject({ title: null, notes: 'Note' });
  expect(answer.headers.get('accept-patch')).toBe('application/merge-patch+json, application/json');
});

test('a PATCH of an unsupported type answers 415 with Accept-Patch', async () => {
  const code = await createUrl(web.client());
  const headers = { 'content-type': 'application/json-patch+json', 'x-api-key': web.apiKey() };
  const answer = await send('PATCH', `${urls}/${code}`, headers, '[]');
  expect(answer.status).toBe(415);
  expect(answer.headers.get('accept-patch')).toBe('application/merge-patch+json, application/json');
  const options = await send('OPTIONS', `${urls}/${code}`);
  expect(options.headers.get('accept-patch')).toBe('application/merge-patch+json, application/json');
});

test('a merge patch is rejected by POST, and must be an object', async () => {
  const headers = { 'content-type': 'application/merge-patch+json', 'x-api-key': web.apiKey() };
  expect((await send('POST', urls, headers, '{"original_url":"https://example.com/"}')).status).toBe(415);
  const code = await createUrl(web.client());
  for (const body of ['[]', '"text"', 'null', '1'])
    expect((await send('PATCH', `${urls}/${code}`, headers, body)).status).toBeGreaterThanOrEqual(400);
});

test('the root answers HTML for browsers and JSON for other clients', async () => {
  const page = await send('GET', '/', { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' });
  expect(page.status).toBe(200);
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(page.text).toContain('<title>Linkmill</title>');
  expect(page.text).toContain('/docs');
  expect(page.headers.get('vary')).toContain('Accept');
  for (const accept of ['*/*', 'application/json']) {
    const { text } = await send('GET', '/', { accept });
    expect(JSON.parse(text)).toMatchObject({ service: 'linkmill' });
  }
});
