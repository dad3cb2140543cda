import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { problemUri } from '../../../src/http/problems/problem-types.ts';
import { useWeb } from '../../support/http/web-app.ts';
import { type RawAnswer, sendRaw } from '../../support/services/raw-http.ts';
import { createUrl } from '../../support/urls/urls.ts';

const web = useWeb();
const host = 'Host: short.example\r\n';
const get = (path: string, head = '') => `GET ${path} HTTP/1.1\r\n${host}${head}\r\n`;
const live = get('/health/live');
let code: string;
beforeAll(async () => {
  code = await createUrl(web.client());
});

const send = async (bytes: string | Buffer, options?: Parameters<typeof sendRaw>[2]) =>
  await sendRaw(web.baseUrl(), bytes, options);
const statusesOf = (answers: RawAnswer[]) => answers.map(({ status }) => status);
const create = (head: string, body: string) =>
  `POST /api/v1/urls HTTP/1.1\r\n${host}x-api-key: ${web.apiKey()}\r\ncontent-type: application/json\r\n${head}\r\n${body}`;
const json = '{"original_url":"https://example.com/raw"}';

/** After any input, the next connection is served, and no error was logged. */
afterEach(assertNextRequestServed);

async function assertNextRequestServed() {
  const { answers } = await send(live, { answers: 1 });
  expect(statusesOf(answers)).toEqual([200]);
  expect(web.output()).not.toContain('request failed');
}

describe('invalid HTTP answers 400, and the connection is closed', () => {
  test.each<[string, string | Buffer]>([
    ['a text', 'hello\r\n\r\n'],
    ['a method alone', 'GET\r\n\r\n'],
    ['a version that does not exist', `GET / HTTP/9.9\r\n${host}\r\n`],
    ['a method in lower case', `get / HTTP/1.1\r\n${host}\r\n`],
    ['two spaces in the request line', `GET /  /x HTTP/1.1\r\n${host}\r\n`],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a greeting of TLS', Buffer.from('16030100a5010000a10303', 'hex')],
    ['a zero byte in the path', `GET /a\0b HTTP/1.1\r\n${host}\r\n`],
    ['a zero byte in a header', `GET / HTTP/1.1\r\n${host}x: a\0b\r\n\r\n`],
    ['a zero byte in the name of a header', `GET / HTTP/1.1\r\n${host}x\0: a\r\n\r\n`],
    ['a line break in a header', `GET / HTTP/1.1\r\n${host}x: a\rb: c\r\n\r\n`],
    ['a header without a colon', `GET / HTTP/1.1\r\n${host}nothing\r\n\r\n`],
    ['a space before the colon', `GET / HTTP/1.1\r\n${host}x : a\r\n\r\n`],
    ['a length that is no number', `POST / HTTP/1.1\r\n${host}Content-Length: ten\r\n\r\n`],
    ['a negative length', `POST / HTTP/1.1\r\n${host}Content-Length: -1\r\n\r\n`],
    ['a length with a sign', `POST / HTTP/1.1\r\n${host}Content-Length: +1\r\n\r\n0`],
    ['a length beyond all bounds', `POST / HTTP/1.1\r\n${host}Content-Length: ${'9'.repeat(30)}\r\n\r\n`],
    ['two lengths', `POST / HTTP/1.1\r\n${host}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`],
    ['a chunk of no length', `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\nzz\r\n`],
    [
      'an unknown transfer encoding',
      `POST / HTTP/1.1\r\n${host}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
    ],
  ])('%s', async (_, bytes) => {
    const { answers, isClosed } = await send(bytes);
    expect(isClosed).toBe(true);
    expect(statusesOf(answers)).toEqual([400]);
    expect(answers[0]?.headers).toMatchObject({
      'content-type': 'application/problem+json',
      connection: 'close',
    });
    expect(JSON.parse(answers[0]!.body)).toMatchObject({
      type: problemUri('bad-request', web.baseUrl()),
      status: 400,
    });
  });
});

describe('an oversized head answers 431', () => {
  test.each([
    ['a request line of 20,000 bytes', `GET /${'a'.repeat(20_000)} HTTP/1.1\r\n${host}\r\n`],
    ['a header of 20,000 bytes', `GET / HTTP/1.1\r\n${host}x: ${'a'.repeat(20_000)}\r\n\r\n`],
    ['ten thousand headers', `GET / HTTP/1.1\r\n${host}${'x: y\r\n'.repeat(10_000)}\r\n`],
  ])('%s', async (_, bytes) => {
    const { answers } = await send(bytes);
    expect(statusesOf(answers)).toEqual([431]);
    expect(JSON.parse(answers[0]!.body)).toMatchObject({
      type: problemUri('too-large', web.baseUrl()),
      status: 431,
    });
  });
});

test('an oversized HEAD request answers 431 without a body', async () => {
  const { received } = await send(`HEAD / HTTP/1.1\r\n${host}x: ${'a'.repeat(20_000)}\r\n\r\n`);
  expect(received).toMatch(/^HTTP\/1\.1 431 .*\r\n\r\n$/s);
});

describe('Content-Length together with chunks does not smuggle a request', () => {
  const inner = `GET /api/v1/jobs/flush-clicks/1 HTTP/1.1\r\n${host}\r\n`;

  test.each([
    ['the length first', `Content-Length: 5\r\nTransfer-Encoding: chunked\r\n`],
    ['the chunks first', `Transfer-Encoding: chunked\r\nContent-Length: 5\r\n`],
    ['chunks within chunks', `Transfer-Encoding: chunked, identity\r\nContent-Length: 5\r\n`],
  ])('%s', async (_, head) => {
    const { answers, isClosed } = await send(create(head, `0\r\n\r\n${inner}`));
    expect(statusesOf(answers)).toEqual([400]);
    expect(isClosed).toBe(true);
  });
});

test.each([
  ['UTF-8 in the path', '/bücher'],
  ['UTF-8 in the query', '/api/v1/urls?q=bücher'],
  ['Latin-1 in the path', Buffer.from('/b\xfccher', 'latin1')],
  ['a space in the path', '/a b'],
])('a request with %s is answered with a hint to percent-encode it', async (_, target) => {
  const line = [Buffer.from('GET '), Buffer.from(target), Buffer.from(` HTTP/1.1\r\n${host}\r\n`)];
  const { answers, isClosed } = await send(Buffer.concat(line));
  expect(statusesOf(answers)).toEqual([400]);
  expect(isClosed).toBe(true);
  expect(answers[0]?.headers['content-type']).toBe('application/problem+json');
  expect(answers[0]?.body).toContain('Percent-encode');
});

test('bytes after Content-Length are parsed as the next request', async () => {
  const { answers, isClosed } = await send(create('Content-Length: 2\r\n', `{}${json}`));
  expect(statusesOf(answers)).toEqual([422, 400]);
  expect(isClosed).toBe(true);
});

test('a body that ends early creates nothing', async () => {
  const { answers } = await send(create('Content-Length: 1000\r\n', json), { ends: true });
  expect(statusesOf(answers).filter((status) => status < 400)).toEqual([]);
  expect(await web.database.db()('urls').where({ original_url: 'https://example.com/raw' })).toEqual([]);
});

test('a chunked body is read', async () => {
  const chunks = `${json.length.toString(16)}\r\n${json}\r\n0\r\n\r\n`;
  const { answers } = await send(create('Transfer-Encoding: chunked\r\n', chunks), { answers: 1 });
  expect(statusesOf(answers)).toEqual([201]);
});

test('endless chunk extensions answer 413', async () => {
  const chunks = `1;${'x'.repeat(20_000)}\r\n{\r\n`;
  const { answers } = await send(create('Transfer-Encoding: chunked\r\n', chunks));
  expect(statusesOf(answers)).toEqual([413]);
});

test('pipelined requests are answered in order, up to the first invalid one', async () => {
  const missing = `GET /no-such-code HTTP/1.1\r\n${host}\r\n`;
  const { answers, isClosed } = await send(
    `${live}${missing}${create(`Content-Length: ${json.length}\r\n`, json)}nonsense\r\n\r\n`,
  );
  expect(statusesOf(answers)).toEqual([200, 404, 201, 400]);
  expect(isClosed).toBe(true);
});

test('Expect: 100-continue gets a 100 Continue', async () => {
  const { answers } = await send(create(`Expect: 100-continue\r\nContent-Length: ${json.length}\r\n`, json), {
    answers: 2,
  });
  expect(statusesOf(answers)).toEqual([100, 201]);
});

test('another expectation answers 417', async () => {
  const { answers } = await send(`GET / HTTP/1.1\r\n${host}Expect: tea\r\n\r\n`, { answers: 1 });
  expect(statusesOf(answers)).toEqual([417]);
});

describe('unusual forms of a request never answer 500', () => {
  test.each([
    ['a request line without a version', `GET /health/live\r\n${host}\r\n`, 200],
    ['HTTP/1.0 without a host', 'GET /health/live HTTP/1.0\r\n\r\n', 200],
    ['HTTP/1.1 without a host', 'GET /health/live HTTP/1.1\r\n\r\n', 400],
    ['a whole URL of another host', `GET http://elsewhere.example/health/live HTTP/1.1\r\n${host}\r\n`, 200],
    ['a whole URL of a path of the API', `GET http://x:99999/api/v1/urls HTTP/1.1\r\n${host}\r\n`, 401],
    ['a whole URL with an address', `GET HTTP://[::1]:1/health/live?x HTTP/1.1\r\n${host}\r\n`, 200],
    ['an address without an end', `GET http://x[/api/v1/urls HTTP/1.1\r\n${host}\r\n`, 400],
    ['a URL that is none', `GET http://[/ HTTP/1.1\r\n${host}\r\n`, 400],
    ['a URL with a user', `GET http://a:b@c/health/live HTTP/1.1\r\n${host}\r\n`, 200],
    ['a star', `OPTIONS * HTTP/1.1\r\n${host}\r\n`, 404],
    ['a path without a slash', `GET health HTTP/1.1\r\n${host}\r\n`, 400],
    ['bytes beyond ASCII in the path', Buffer.from(`GET /\xff\xfe HTTP/1.1\r\n${host}\r\n`, 'latin1'), 400],
    ['a broken escape in the path', `GET /%zz HTTP/1.1\r\n${host}\r\n`, 404],
    ['an escaped zero byte in the path', `GET /aaaa%00 HTTP/1.1\r\n${host}\r\n`, 404],
    [
      'an upgrade to a web socket',
      `GET / HTTP/1.1\r\n${host}Connection: upgrade\r\nUpgrade: websocket\r\n\r\n`,
      200,
    ],
    [
      'an upgrade to HTTP/2',
      `GET / HTTP/1.1\r\n${host}Connection: upgrade, http2-settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n`,
      200,
    ],
    ['a host with an @', 'GET /health/live HTTP/1.1\r\nHost: a@b\r\n\r\n', 200],
    ['an empty host', 'GET /health/live HTTP/1.1\r\nHost:\r\n\r\n', 200],
    ['a method that the service does not know', `PROPFIND / HTTP/1.1\r\n${host}\r\n`, 405],
    [
      'a body where none is expected',
      `GET /health/live HTTP/1.1\r\n${host}Content-Length: 3\r\n\r\nabc`,
      200,
    ],
  ])('%s', async (_, bytes, status) => {
    const { answers } = await send(bytes, { answers: 1 });
    expect(statusesOf(answers)).toEqual([status]);
  });
});

const connect = `CONNECT example.com:443 HTTP/1.1\r\n${host}\r\n`;

test.each([
  ['alone', '', []],
  ['behind other requests', `${live}GET /no-such-code HTTP/1.1\r\n${host}\r\n`, [200, 404]],
])('a CONNECT %s is answered 405, and closes its connection', async (_, before, statuses) => {
  const { answers, isClosed } = await send(before + connect + live + 'x'.repeat(100_000));
  expect(statusesOf(answers)).toEqual([...statuses, 405]);
  expect(isClosed).toBe(true);
  expect(answers.at(-1)?.headers).toMatchObject({ connection: 'close', allow: 'GET, HEAD, POST' });
});

test.each(['GET /health/live', 'GET /no-such-code', 'GET /'])(
  '%s with an ignored upgrade closes its connection',
  async (line) => {
    const upgrade = `${line} HTTP/1.1\r\n${host}Connection: upgrade\r\nUpgrade: websocket\r\n\r\n`;
    const { answers, isClosed } = await send(live + upgrade + live);
    expect(answers).toHaveLength(2);
    expect(answers[1]?.headers['connection']).toBe('close');
    expect(isClosed).toBe(true);
  },
);

describe('a half-closed connection gets its responses, and is closed', () => {
  test.each<[string, () => string, number[]]>([
    ['to a redirect', () => get(`/${code}`), [301]],
    ['to an unknown short code', () => get('/no-such-code'), [404]],
    ['to health', () => get('/health'), [200]],
    ['to a page', () => get('/report'), [200]],
    ['to a read of the API', () => get('/api/v1/urls', `x-api-key: ${web.apiKey()}\r\n`), [200]],
    ['to a create', () => create(`Content-Length: ${json.length}\r\n`, json), [201]],
    ['to a body that is not read', () => get('/health/live', 'Content-Length: 3\r\n') + 'abc', [200]],
    [
      'to pipelined requests',
      () => get(`/${code}`).repeat(40) + get('/no-such-code'),
      [...Array(40).fill(301), 404],
    ],
  ])('%s', async (_, bytes, statuses) => {
    const { answers, isClosed } = await send(bytes(), { ends: true });
    expect(statusesOf(answers)).toEqual(statuses);
    expect(isClosed).toBe(true);
  });
});

test('a half-closed connection without a request is closed', async () => {
  expect(await send('', { ends: true })).toMatchObject({ answers: [], isClosed: true });
});

test('the Host header appears in no response', async () => {
  const text = create(
    `Content-Length: ${json.length}\r\nX-Forwarded-Host: evil.example\r\nForwarded: host=evil.example\r\n`,
    json,
  );
  const { answers } = await send(text.replace('short.example', 'evil.example'), { answers: 1 });
  expect(statusesOf(answers)).toEqual([201]);
  expect(JSON.stringify(answers)).not.toContain('evil.example');
});
