import { expect, test } from 'vitest';
import { useWeb } from '../../support/http/web-app.ts';

const password = 'password-of-the-board';
const web = useWeb({ BASE_URL: '/go', BULL_BOARD_PASSWORD: password });
const authorization = `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`;

/** An answer, with its length on the wire. */
async function read(path: string, headers: Record<string, string> = {}) {
  const url = new URL(path, web.baseUrl());
  const response = await fetch(url, { headers: { 'accept-encoding': 'br', ...headers } });
  const text = await response.text();
  const header = (name: string) => response.headers.get(name);
  return {
    status: response.status,
    text,
    cacheControl: header('cache-control'),
    etag: header('etag') ?? '',
    encoding: header('content-encoding'),
    length: Number(header('content-length')),
  };
}

test('browsers keep each file of /docs, at an address of its own for each version', async () => {
  const { text: page } = await read('/go/docs');
  const addresses = [...page.matchAll(/(?:href|src)="(\/go\/docs\/[^"]+)"/g)].map(([, path = '']) => path);
  expect(addresses).toHaveLength(3);
  for (const address of addresses) {
    expect(await read(address)).toMatchObject({
      status: 200,
      cacheControl: 'public, max-age=31536000, immutable',
    });
    const other = await read(address.replace(/v=.*/, 'v=other'));
    expect(other).toMatchObject({ status: 200, cacheControl: 'no-cache' });
    expect((await read(address, { 'if-none-match': other.etag })).status).toBe(304);
  }
});

test('the OpenAPI document is compressed, and sent again only if it has changed', async () => {
  const { etag, encoding, length, text, cacheControl } = await read('/go/openapi.json');
  expect({ encoding, cacheControl }).toEqual({ encoding: 'br', cacheControl: 'no-cache' });
  expect(length).toBeLessThan(text.length / 8);
  expect(JSON.parse(text)).toHaveProperty('openapi');
  const again = await read('/go/openapi.json', { 'if-none-match': etag });
  expect(again).toMatchObject({ status: 304, text: '', etag });
  expect(
    await read('/go/openapi.json', { 'if-none-match': etag, 'accept-encoding': 'identity' }),
  ).toMatchObject({
    status: 200,
    encoding: null,
    text,
  });
});

test('the files of Bull Board are compressed, and browsers keep them', async () => {
  const { text: page } = await read('/go/admin/queues', { authorization });
  const files = [...page.matchAll(/(?:href|src)="(static\/(?:js|css)\/[^"]+)"/g)].map(
    ([, name = '']) => name,
  );
  expect(files.length).toBeGreaterThan(3);
  let [sent, plain] = [0, 0];
  for (const name of files) {
    const path = `/go/admin/queues/${name}`;
    expect((await read(path)).status).toBe(401);
    const file = await read(path, { authorization });
    expect(file).toMatchObject({
      status: 200,
      encoding: 'br',
      cacheControl: 'private, max-age=31536000, immutable',
    });
    sent += file.length;
    plain += file.text.length;
  }
  expect(sent).toBeLessThan(plain / 3);
});

test('files of Bull Board without a hash in their name are validated on each use', async () => {
  const path = '/go/admin/queues/static/images/logo.svg';
  const { etag, cacheControl } = await read(path, { authorization });
  expect(cacheControl).toBe('no-cache');
  expect((await read(path, { authorization, 'if-none-match': etag })).status).toBe(304);
});

test('nothing outside of the files of Bull Board can be read', async () => {
  for (const name of [
    '../index.ejs',
    ['..', 'index.ejs'].join('%2F'),
    ['..', '..', 'package.json'].join('%2F'),
    '%2e%2e/index.ejs',
    'nothing.js',
  ]) {
    const { status, text } = await read(`/go/admin/queues/static/${name}`, { authorization });
    expect({ name, isRejected: status >= 400, leaks: /<%|"version"/.test(text) }).toEqual({
      name,
      isRejected: true,
      leaks: false,
    });
  }
});
