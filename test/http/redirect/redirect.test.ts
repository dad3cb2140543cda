import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { useWeb } from '../../support/http/web-app.ts';
import { waitUntil } from '../../support/wait-until.ts';

const web = useWeb();

async function createUrl(body: Record<string, unknown>) {
  const answer = await web.client().post('/api/v1/urls', body);
  expect(answer.status).toBe(201);
  return String(answer.body['short_code']);
}

test('a redirect answers 301 with the stored URL and forces revalidation', async () => {
  const code = await createUrl({ original_url: 'https://example.com/a b?q=ü#ä' });
  const answer = await web.client(null).get(`/${code}`);
  expect(answer.status).toBe(301);
  expect(answer.headers.get('location')).toBe('https://example.com/a%20b?q=%C3%BC#%C3%A4');
  expect(answer.headers.get('cache-control')).toBe('private, max-age=0, must-revalidate');
});

test('HEAD answers the headers of the redirect and records no click', async () => {
  const code = await createUrl({ original_url: 'https://example.com/head' });
  const answer = await web.client(null).head(`/${code}`);
  expect(answer.status).toBe(301);
  expect(answer.headers.get('location')).toBe('https://example.com/head');
  const waiting = async () => await web.redis.redis().xlen(`${web.redis.prefix}:clicks:{0}`);
  const before = await waiting();
  await web.client(null).get(`/${code}`);
  expect(await waiting()).toBe(before + 1);
});

test('an unknown code and an invalid code answer 404 as problem+json', async () => {
  for (const path of ['/unknown1', '/abc', '/a.b.c.d', `/${'a'.repeat(33)}`, '/unknown1/']) {
    const answer = await web.client(null).get(path);
    expect(answer.status, path).toBe(404);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
  }
});

test('an expired short URL answers 410, from the cache and from the database', async () => {
  const code = await createUrl({ original_url: 'https://example.com/soon', expires_in_seconds: 1 });
  expect((await web.client(null).get(`/${code}`)).status).toBe(301);
  await waitUntil(
    'the short URL expires',
    async () => (await web.client(null).get(`/${code}`)).status === 410,
  );
  await web.redis.redis().del(`${web.redis.prefix}:url:${code}`);
  expect((await web.client(null).get(`/${code}`)).status).toBe(410);
});

test('a deleted short URL answers 404 immediately', async () => {
  const code = await createUrl({ original_url: 'https://example.com/deleted' });
  expect((await web.client(null).get(`/${code}`)).status).toBe(301);
  expect((await web.client().delete(`/api/v1/urls/${code}`)).status).toBe(204);
  expect((await web.client(null).get(`/${code}`)).status).toBe(404);
  expect((await web.client().delete(`/api/v1/urls/${code}`)).status).toBe(404);
});

test('a trailing slash is ignored, for redirects and previews', async () => {
  const code = await createUrl({ original_url: 'https://example.com/slash?a=1', forward_query: true });
  const waiting = async () => await web.redis.redis().xlen(`${web.redis.prefix}:clicks:{0}`);
  const before = await waiting();
  const { status, headers } = await web.client(null).get(`/${code}/?b=2`);
  expect(status).toBe(301);
  expect(headers.get('location')).toBe('https://example.com/slash?a=1&b=2');
  await waitUntil('the click is in Redis', async () => (await waiting()) > before);
  expect((await web.client(null).head(`/${code}/`)).status).toBe(301);
  expect((await web.client(null).get(`/${code}+/`)).status).toBe(200);
  expect((await web.client(null).get(`/${code}/+`)).status).toBe(404);
  expect((await web.client(null).get(`/${code}//`)).status).toBe(404);
  expect(await waiting()).toBe(before + 1);
});

test('a short URL answers other methods than GET and HEAD with 405', async () => {
  const code = await createUrl({ original_url: 'https://example.com/post' });
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
    const answer = await web.client(null).request(method, `/${code}`);
    expect(answer.status, method).toBe(405);
    expect(answer.headers.get('allow'), method).toBe('GET, HEAD');
  }
});

/** The raw response to a request line: its status line and sorted headers. */
async function readAnswer(requestLine: string) {
  const socket = connect(Number(new URL(web.baseUrl()).port), '127.0.0.1');
  socket.write(`${requestLine} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  const [head, ...body] = (await text(socket)).split('\r\n\r\n');
  const [statusLine, ...headers] = head!.split('\r\n');
  return {
    statusLine,
    headers: headers.filter((line) => !line.startsWith('Date: ')).toSorted(),
    body: body.join('\r\n\r\n'),
  };
}

describe('a short URL in the memory cache', () => {
  /** Creates a short URL whose URL only the memory cache has: Redis gets another URL, and the database none. */
  async function createKnown(path: string, more: Record<string, unknown> = {}) {
    const code = await createUrl({ original_url: `https://example.com/${path}`, ...more });
    const first = await readAnswer(`GET /${code}`);
    const key = `${web.redis.prefix}:url:${code}`;
    const value = await web.redis.redis().get(key);
    expect(value).toContain(path);
    await web.redis.redis().set(key, value!.replace(path, 'elsewhere'), 'EX', 60);
    return { code, first };
  }
  /** All that were ever sent: the web process removes those that no worker counts. */
  const countBatches = async () => {
    const fields = (await web.redis.redis().xinfo('STREAM', `${web.redis.prefix}:clicks:{0}`)) as unknown[];
    return Number(fields[fields.indexOf('entries-added') + 1]);
  };

  test('answers the same bytes as from the database', async () => {
    const { code, first } = await createKnown("a%20b,c;d'e?q=%C3%BC#%C3%A4");
    const second = await readAnswer(`GET /${code}`);
    expect(second).toEqual(first);
    expect(second).toEqual({
      statusLine: 'HTTP/1.1 301 Moved Permanently',
      headers: [
        'Cache-Control: private, max-age=0, must-revalidate',
        'Connection: close',
        'Content-Length: 0',
        "Location: https://example.com/a%20b,c;d'e?q=%C3%BC#%C3%A4",
      ],
      body: '',
    });
  });

  test('is answered from memory with a query too, but not under another path', async () => {
    const { code, first } = await createKnown('with-query');
    for (const query of ['?', '?a=1&b=/c', '?/../x', '??'])
      expect(await readAnswer(`GET /${code}${query}`)).toEqual(first);
    expect(await readAnswer(`GET http://x/${code}`)).toEqual(first);
    for (const path of [`//${code}`, `/${code}//`, `/x/../${code}`, code.toUpperCase() + '-', '*'])
      expect((await readAnswer(`GET ${path}`)).statusLine, path).not.toBe(first.statusLine);
  });

  test('answers HEAD with the same headers', async () => {
    const { code, first } = await createKnown('head-cached');
    expect(await readAnswer(`HEAD /${code}`)).toEqual(first);
  });

  test('answers other methods than GET and HEAD with 405', async () => {
    const { code } = await createKnown('post-cached');
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      const answer = await web.client(null).request(method, `/${code}`);
      expect(answer.status, method).toBe(405);
      expect(answer.headers.get('allow'), method).toBe('GET, HEAD');
    }
  });

  test('records a click for each GET and none for HEAD', async () => {
    const { code } = await createKnown('clicks-cached');
    const before = await countBatches();
    for (let times = 1; times <= 3; times++) {
      await readAnswer(`HEAD /${code}`);
      await readAnswer(`GET /${code}`);
      expect(await countBatches()).toBe(before + times);
    }
  });

  test('answers 410 from the millisecond of its expiry on', async () => {
    const expiresAt = Date.now() + 500;
    const { code } = await createKnown('expires', { expires_at: new Date(expiresAt).toISOString() });
    const wrong: string[] = [];
    for (let status = 301; status === 301;) {
      const requestedAt = Date.now();
      ({ status } = await web.client(null).get(`/${code}`));
      const answeredAt = Date.now();
      if (requestedAt >= expiresAt && status !== 410)
        wrong.push(`${status} after ${requestedAt - expiresAt} ms`);
      if (answeredAt < expiresAt && status !== 301)
        wrong.push(`${status} ${expiresAt - answeredAt} ms before`);
    }
    expect(wrong).toEqual([]);
    expect(Date.now()).toBeGreaterThanOrEqual(expiresAt);
  });
});

test.each(['http://', 'http://?a', 'http://[/'])(
  'a request target without a path answers 400: %s',
  async (target) => {
    const socket = connect(Number(new URL(web.baseUrl()).port), '127.0.0.1');
    socket.write(`GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    const answer = await text(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('application/problem+json');
  },
);
