import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { waitUntil } from '../support/wait-until.ts';
import { useWeb } from '../support/web-app.ts';

const web = useWeb();

async function createUrl(body: Record<string, unknown>) {
  const answer = await web.client().post('/api/v1/urls', body);
  expect(answer.status).toBe(201);
  return String(answer.body['short_code']);
}

test('a redirect answers 301 with the stored URL and asks browsers to come again', async () => {
  const code = await createUrl({ original_url: 'https://example.com/a b?q=ü#ä' });
  const answer = await web.client(null).get(`/${code}`);
  expect(answer.status).toBe(301);
  expect(answer.headers.get('location')).toBe('https://example.com/a%20b?q=%C3%BC#%C3%A4');
  expect(answer.headers.get('cache-control')).toBe('private, max-age=0, must-revalidate');
});

test('HEAD answers the headers of the redirect and sends no click', async () => {
  const code = await createUrl({ original_url: 'https://example.com/head' });
  const answer = await web.client(null).head(`/${code}`);
  expect(answer.status).toBe(301);
  expect(answer.headers.get('location')).toBe('https://example.com/head');
  const waiting = async () => await web.redis.redis().xlen(`${web.redis.prefix}:clicks:{0}`);
  const before = await waiting();
  await web.client(null).get(`/${code}`);
  expect(await waiting()).toBe(before + 1);
});

test('an unknown code and a path that cannot be a code both answer 404 as problem+json', async () => {
  for (const path of ['/unknown1', '/abc', '/a.b.c.d', `/${'a'.repeat(33)}`, '/unknown1/', '/favicon.ico']) {
    const answer = await web.client(null).get(path);
    expect([path, answer.status]).toEqual([path, 404]);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
  }
});

test('a short URL whose time is over answers 410, from the cache and from the table', async () => {
  const code = await createUrl({ original_url: 'https://example.com/soon', expires_in_seconds: 1 });
  expect((await web.client(null).get(`/${code}`)).status).toBe(301);
  await waitUntil('it expires', async () => (await web.client(null).get(`/${code}`)).status === 410);
  await web.redis.redis().del(`${web.redis.prefix}:url:${code}`);
  expect((await web.client(null).get(`/${code}`)).status).toBe(410);
});

test('a deleted short URL answers 404 at once', async () => {
  const code = await createUrl({ original_url: 'https://example.com/deleted' });
  expect((await web.client(null).get(`/${code}`)).status).toBe(301);
  expect((await web.client().delete(`/api/v1/urls/${code}`)).status).toBe(204);
  expect((await web.client(null).get(`/${code}`)).status).toBe(404);
  expect((await web.client().delete(`/api/v1/urls/${code}`)).status).toBe(404);
});

test('a short URL knows GET and HEAD alone', async () => {
  const code = await createUrl({ original_url: 'https://example.com/post' });
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
    const answer = await web.client(null).request(method, `/${code}`);
    expect([method, answer.status, answer.headers.get('allow')]).toEqual([method, 405, 'GET, HEAD']);
  }
});

test.each(['http://', 'http://?a', 'http://[/'])(
  'a request line that names no path is a 400: %s',
  async (target) => {
    const socket = connect(Number(new URL(web.baseUrl()).port), '127.0.0.1');
    socket.write(`GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    const answer = await text(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('application/problem+json');
  },
);
