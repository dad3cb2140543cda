import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, request as send, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import Koa from 'koa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { handleErrors } from '../../../src/http/middleware/error-handler.ts';
import { readDashboardFiles } from '../../../src/http/static/dashboard-files.ts';
import { serveDashboard } from '../../../src/http/static/dashboard.ts';
import { silentLog, track } from '../../support/resources.ts';

const script = `console.log('${'x'.repeat(2_000)}')`;
const index = '<html data-base-path="" data-provider=""><script src="./assets/app-1234.js"></script></html>';
const page = {
  basePath: '/go',
  providerName: `Works "$&" <ID>`,
};
let folder: string;
let server: Server;
let withoutBuild: Server;
const closed: (() => void)[] = [];

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'linkmill-dashboard-'));
  await mkdir(path.join(folder, 'assets'));
  const files = { 'index.html': index, 'assets/app-1234.js': script, 'icon.svg': '<svg/>' };
  for (const [name, content] of Object.entries(files)) {
    await writeFile(path.join(folder, name), content);
    await writeFile(path.join(folder, `${name}.br`), brotliCompressSync(content));
    await writeFile(path.join(folder, `${name}.gz`), gzipSync(content));
  }
  await writeFile(path.join(folder, 'secret.txt'), 'not in the manifest');
  const sizes = { bytes: 1, gzip: 1, br: 1 };
  const manifest = { files: Object.fromEntries(Object.keys(files).map((name) => [name, sizes])) };
  await writeFile(path.join(folder, 'manifest.json'), JSON.stringify(manifest));
  server = await listen(serveDashboard(readDashboardFiles(page, folder), '/go'));
  withoutBuild = await listen(serveDashboard(readDashboardFiles(page, path.join(folder, 'missing')), '/go'));
});
afterAll(async () => {
  server.close();
  withoutBuild.close();
  for (const close of closed) close();
  await rm(folder, { recursive: true });
});

async function listen(middleware: Koa.Middleware): Promise<Server> {
  const app = new Koa();
  app.use(handleErrors(silentLog, { baseUrl: 'http://localhost/go' }));
  app.use(middleware);
  const handle = app.callback();
  closed.push(track('dashboard server'));
  const listening = createServer((request, response) => void handle(request, response)).listen(
    0,
    '127.0.0.1',
  );
  await once(listening, 'listening');
  return listening;
}

/** Requests a path as it is: `fetch` would resolve dots, and decompress the body. */
async function request(path: string, headers: Record<string, string> = {}, method = 'GET', on = server) {
  const { port } = on.address() as AddressInfo;
  return await new Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; body: Buffer }>(
    (resolve, reject) => {
      const sent = send({ port, host: '127.0.0.1', path, method, headers, agent: false }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks) }),
        );
      });
      sent.on('error', reject).end();
    },
  );
}

test('a hashed file is immutable, and compressed as the client accepts', async () => {
  const file = '/admin/assets/app-1234.js';
  const plain = await request(file);
  const br = await request(file, { 'accept-encoding': 'gzip, deflate, br' });
  const gzip = await request(file, { 'accept-encoding': 'gzip' });
  expect(plain.headers['cache-control']).toBe('public, max-age=31536000, immutable');
  expect(plain.headers['content-type']).toBe('text/javascript; charset=utf-8');
  expect(plain.headers['content-encoding']).toBeUndefined();
  expect(plain.headers['vary']).toContain('Accept-Encoding');
  expect(br.headers['content-encoding']).toBe('br');
  expect(gzip.headers['content-encoding']).toBe('gzip');
  expect(plain.body.toString()).toBe(script);
  expect(brotliDecompressSync(br.body).toString()).toBe(script);
  expect(gunzipSync(gzip.body).toString()).toBe(script);
  expect(new Set([plain, br, gzip].map(({ headers }) => headers['etag'])).size).toBe(3);
});

test('a file that the client has already answers 304 without a body', async () => {
  const { headers } = await request('/admin/icon.svg');
  const again = await request('/admin/icon.svg', { 'if-none-match': String(headers['etag']) });
  expect(again.status).toBe(304);
  expect(again.body).toHaveLength(0);
});

test('HEAD answers the headers of GET without the body', async () => {
  const get = await request('/admin/assets/app-1234.js');
  const head = await request('/admin/assets/app-1234.js', {}, 'HEAD');
  expect(head.body).toHaveLength(0);
  expect(head.headers['content-length']).toBe(String(get.body.length));
  expect(head.headers['etag']).toBe(get.headers['etag']);
});

test('every other path answers the page with its security policy, its base path and the provider', async () => {
  for (const path of ['/admin/', '/admin/links/spring', '/admin/operations', '/admin/queues-of-mine']) {
    const { status, headers, body } = await request(path);
    expect(status).toBe(200);
    expect(headers['cache-control']).toBe('no-cache');
    expect(headers['content-security-policy']).toContain("require-trusted-types-for 'script'");
    expect(headers['referrer-policy']).toBe('same-origin');
    expect(body.toString()).toContain('src="/go/admin/assets/app-1234.js"');
    expect(body.toString()).toContain('data-base-path="/go"');
    expect(body.toString()).toContain('data-provider="Works &quot;$&amp;&quot; &lt;ID&gt;"');
  }
});

test('/admin redirects to /admin/ below the base path', async () => {
  const { status, headers } = await request('/admin?url=x');
  expect(status).toBe(308);
  expect(headers['location']).toBe('/go/admin/?url=x');
});

test('no path reads a file outside the manifest', async () => {
  const attempts = [
    '/admin/assets/../secret.txt',
    '/admin/assets/%2e%2e/secret.txt',
    `/admin/assets/${encodeURIComponent('../secret.txt')}`,
    '/admin/assets//etc/passwd',
    '/admin/assets/app-1234.js.br',
    '/admin/secret.txt',
    '/admin/manifest.json',
  ];
  for (const path of attempts) {
    const { status, body } = await request(path);
    expect(body.toString()).not.toContain('not in the manifest');
    expect(status === 404 || body.includes('data-base-path')).toBe(true);
  }
});

test('other methods answer 405, and paths of Bull Board are not served', async () => {
  const post = await request('/admin/', {}, 'POST');
  expect(post.status).toBe(405);
  expect(post.headers['allow']).toBe('GET, HEAD');
  expect((await request('/admin/queues')).status).toBe(404);
  expect((await request('/admin/queues/static/x.js')).status).toBe(404);
});

test('without a build every page answers 503 with the command that builds it', async () => {
  for (const path of ['/admin/', '/admin/links/spring', '/admin/assets/app-1234.js']) {
    const { status, body } = await request(path, {}, 'GET', withoutBuild);
    expect(status).toBe(503);
    expect(body.toString()).toContain('npm run build');
  }
});
