import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { beforeAll, expect, test } from 'vitest';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import { operations as declared } from '../../../src/http/api/api.ts';
import type { Operation } from '../../../src/http/api/operation.ts';
import { useWeb } from '../../support/http/web-app.ts';
import { insertRestrictedUrl } from '../../support/urls/restricted-urls.ts';
import { createUrl } from '../../support/urls/urls.ts';

const password = 'password-of-the-board';
const web = useWeb({ METRICS_PUBLIC: 'true', BULL_BOARD_PASSWORD: password });
const operations = Object.entries<Operation>(declared).map(([name, operation]) => ({ name, operation }));

let limitedKey: string;
beforeAll(async () => {
  ({ key: limitedKey } = await createApiKeys(web.database.db()).create('limited', {
    scopes: ['stats:read'],
  }));
});

async function send(method: string, path: string, init: RequestInit = {}) {
  const response = await fetch(web.baseUrl() + path, { method, redirect: 'manual', ...init });
  // A stream would not end.
  await response.body?.cancel();
  return response;
}

/** Missing or wrong security headers of a response. */
function faultsOf({ headers }: Response, { isCacheable = false } = {}): string[] {
  const csp = headers.get('content-security-policy') ?? '';
  const faults = {
    'allows content sniffing': headers.get('x-content-type-options') !== 'nosniff',
    'loads from any origin': !/default-src '(none|self)'/.test(csp),
    'allows inline scripts': /script-src[^;]*unsafe|default-src[^;]*unsafe/.test(csp),
    'allows framing': !csp.includes("frame-ancestors 'none'"),
    'leaks the referrer': !/^(no-referrer|same-origin)$/.test(headers.get('referrer-policy') ?? ''),
    'names its software': headers.has('server') || headers.has('x-powered-by') || headers.has('via'),
    'is cacheable': !isCacheable && headers.get('cache-control') !== 'no-store',
    'sets a cookie': headers.has('set-cookie'),
    'allows cross-origin reads': headers.has('access-control-allow-origin'),
  };
  return Object.entries(faults).flatMap(([fault, isPresent]) => (isPresent ? [fault] : []));
}

const html = { headers: { accept: 'text/html' } };

test.each(operations)(
  '$name answers with security headers, for valid and invalid requests',
  async ({ operation }) => {
    const path = operation.path.replaceAll(/\{(\w+)\}/g, (_, name) =>
      name === 'id' ? '999999' : 'unknown-1',
    );
    const method = operation.method.toUpperCase();
    const keys: Record<string, string>[] = [{}, { 'x-api-key': web.apiKey() }, { 'x-api-key': limitedKey }];
    for (const headers of keys) {
      const answer = await send(method, path, {
        headers: { ...headers, 'content-type': 'application/json' },
        ...(operation.body ? { body: '[]' } : {}),
      });
      expect(faultsOf(answer), String(answer.status)).toEqual([]);
    }
  },
);

test('every public page and every problem has security headers', async () => {
  const db = web.database.db();
  const code = await createUrl(web.client());
  const gated = await insertRestrictedUrl(db, { password: 'secret' });
  const expired = await insertRestrictedUrl(db, { expiresAt: new Date(0) });
  const paths = [
    '/',
    '/health',
    '/health/live',
    '/health/ready',
    '/metrics',
    '/report',
    `/report?code=${code}`,
    `/${code}+`,
    `/${gated}`,
    `/${gated}+`,
    `/${expired}`,
    '/unknown-1',
    '/unknown-1+',
    '/nothing/here',
    '/admin/queues',
    '/api/v1',
    '/api/v1/nothing',
    '/%ff',
    '/docs/nothing',
    '/../x',
  ];
  for (const path of paths) {
    for (const init of [html, {}]) {
      const answer = await send('GET', path, init);
      expect(faultsOf(answer), `${path} ${answer.status}`).toEqual([]);
    }
    const rejected = await send('PUT', path);
    expect(faultsOf(rejected), `${path} ${rejected.status}`).toEqual([]);
  }
  for (const path of [
    '/docs',
    '/docs/problems',
    '/docs/start.js',
    '/docs/swagger-ui.css',
    '/openapi.json',
    '/robots.txt',
  ]) {
    const answer = await send('GET', path);
    expect(answer.status, path).toBe(200);
    expect(faultsOf(answer, { isCacheable: true }), path).toEqual([]);
  }
});

test('Bull Board, its files and its API have security headers', async () => {
  const authorization = `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`;
  for (const path of ['/admin/queues', '/admin/queues/api/queues', '/admin/queues/static/nothing.js']) {
    const answer = await send('GET', path, { headers: { authorization } });
    expect(faultsOf(answer, { isCacheable: path.includes('static') }), path).toEqual([]);
  }
});

test('invalid HTTP is answered with security headers', async () => {
  const socket = connect(Number(new URL(web.baseUrl()).port), '127.0.0.1');
  await once(socket, 'connect');
  socket.write('no HTTP\r\n\r\n');
  const answer = await text(socket);
  expect(answer).toMatch(/\r\nX-Content-Type-Options: nosniff\r\n/i);
  expect(answer).toMatch(/\r\nCache-Control: no-store\r\n/i);
  expect(answer).not.toMatch(/\r\n(Server|X-Powered-By):/i);
});

test('a redirect has no headers other than Location, Cache-Control and framing', async () => {
  const code = await createUrl(web.client());
  for (const method of ['GET', 'HEAD', 'GET']) {
    const { headers } = await send(method, `/${code}`);
    const hop = new Set(['date', 'connection', 'keep-alive']);
    expect([...headers.keys()].filter((name) => !hop.has(name)).toSorted()).toEqual([
      'cache-control',
      'content-length',
      'location',
    ]);
  }
});
