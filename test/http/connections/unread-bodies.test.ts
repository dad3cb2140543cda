import { describe, expect, test } from 'vitest';
import { useWeb } from '../../support/http/web-app.ts';
import { sendRaw } from '../../support/services/raw-http.ts';
import { createUrl } from '../../support/urls/urls.ts';
import { waitUntil } from '../../support/wait-until.ts';

const web = useWeb({ MAX_API_REQUESTS: '1', IMPORT_MAX_FILE_MB: '1' });
const limited = useWeb({ RATE_LIMIT_PER_IP: '1' });
const host = 'Host: short.example\r\n';
const live = `GET /health/live HTTP/1.1\r\n${host}\r\n`;
const json = 'content-type: application/json\r\n';
const key = () => `x-api-key: ${web.apiKey()}\r\n`;

type Framing = (body: string) => string;
const withLength: Framing = (body) => `Content-Length: ${body.length}\r\n\r\n${body}`;
const inChunks: Framing = (body) => {
  const chunks = body.match(/.{1,16000}/gs) ?? [];
  const framed = chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('');
  return `Transfer-Encoding: chunked\r\n\r\n${framed}0\r\n\r\n`;
};
const framings = [
  ['with a length', withLength],
  ['in chunks', inChunks],
] as const;

/** Requests whose bodies no handler reads, with the status of their responses. */
const refused: [string, () => string, number][] = [
  ['a report that is too long', () => `POST /report HTTP/1.1\r\n${host}${json}`, 413],
  ['a form that is too long', () => `POST /report HTTP/1.1\r\n${host}${form}`, 413],
  ['a create that is too long', () => `POST /api/v1/urls HTTP/1.1\r\n${host}${json}${key()}`, 413],
  ['a create without a key', () => `POST /api/v1/urls HTTP/1.1\r\n${host}${json}`, 401],
  [
    'a create of another type',
    () => `POST /api/v1/urls HTTP/1.1\r\n${host}Content-Type: a/b\r\n${key()}`,
    415,
  ],
  [
    'an import of another type',
    () => `POST /api/v1/imports HTTP/1.1\r\n${host}Content-Type: a/b\r\n${key()}`,
    415,
  ],
  ['a path that does not exist', () => `POST /nothing/here HTTP/1.1\r\n${host}${json}`, 404],
  ['a method that is not allowed', () => `PUT /report HTTP/1.1\r\n${host}${json}`, 405],
  ['a short code that does not exist', () => `GET /unknown-1 HTTP/1.1\r\n${host}`, 404],
  ['a read', () => `GET /api/v1/urls HTTP/1.1\r\n${host}${key()}`, 200],
  ['health', () => `GET /health/live HTTP/1.1\r\n${host}`, 200],
];
const form = 'content-type: application/x-www-form-urlencoded\r\n';

describe.each(framings)('a body of 200,000 bytes %s that is not read', (_, frame) => {
  test.each(refused)('on %s does not delay the next request', async (_, head, status) => {
    const bytes = head() + frame('x'.repeat(200_000)) + live;
    const { answers } = await sendRaw(web.baseUrl(), bytes, { answers: 2 });
    expect(answers.map((answer) => answer.status)).toEqual([status, 200]);
  });

  test('on a redirect does not delay the next request', async () => {
    const code = await createUrl(web.client());
    // The first look-up fills the memory cache.
    expect((await web.client().get(`/${code}`)).status).toBe(301);
    const bytes = `GET /${code} HTTP/1.1\r\n${host}${frame('x'.repeat(500))}${live}`;
    const { answers } = await sendRaw(web.baseUrl(), bytes, { answers: 2 });
    expect(answers.map(({ status }) => status)).toEqual([301, 200]);
  });

  test('on a rate-limited request does not delay the next request', async () => {
    const bytes = `POST /api/v1/urls HTTP/1.1\r\n${host}${json}${frame('x'.repeat(200_000))}`;
    await sendRaw(limited.baseUrl(), bytes, { answers: 1 });
    const { answers } = await sendRaw(limited.baseUrl(), bytes + live, { answers: 2 });
    expect(answers.map(({ status }) => status)).toEqual([429, 200]);
  });

  test('on a request that load shedding rejects does not delay the next request', async () => {
    const table = await web.database.db().transaction();
    await table.raw('lock table urls in access exclusive mode');
    const first = web.client().get('/api/v1/urls/unknown1');
    try {
      const bytes = `POST /api/v1/urls HTTP/1.1\r\n${host}${json}${frame('x'.repeat(200_000))}`;
      const answers = await waitUntil('a request is rejected', async () => {
        const exchange = await sendRaw(web.baseUrl(), bytes + live, { answers: 2 });
        return exchange.answers[0]?.status === 503 && exchange.answers;
      });
      // The response is sent before the body has arrived, so the connection may be closed.
      expect(answers.map(({ status }) => status).slice(0, 1)).toEqual([503]);
    } finally {
      await table.rollback();
      await first;
    }
  });
});

describe.each(framings)('a body of 5,000,000 bytes %s that is not read', (_, frame) => {
  test.each(refused.slice(0, 8))(
    'on %s closes the connection, with Connection: close',
    async (_, head, status) => {
      const { answers, isClosed } = await sendRaw(web.baseUrl(), head() + frame('x'.repeat(5_000_000)));
      expect(answers.map((answer) => answer.status)).toEqual([status]);
      expect(answers[0]!.headers['connection']).toBe('close');
      expect(isClosed).toBe(true);
    },
  );
});

test('an oversized upload answers 413', async () => {
  const head = `POST /api/v1/imports HTTP/1.1\r\n${host}content-type: text/csv\r\n${key()}`;
  for (const frame of [withLength, inChunks]) {
    const bytes = head + frame(`original_url\n${'https://example.com/\n'.repeat(150_000)}`);
    const { answers } = await sendRaw(web.baseUrl(), bytes, { answers: 1 });
    expect(answers.map(({ status }) => status)).toEqual([413]);
  }
});

test('a client that never sends its body gets a response, and is disconnected', async () => {
  const head = `POST /api/v1/urls HTTP/1.1\r\n${host}${json}Content-Length: 1000\r\n\r\n`;
  const { answers, isClosed } = await sendRaw(web.baseUrl(), head);
  expect(answers.map(({ status }) => status)).toEqual([401]);
  expect(isClosed).toBe(true);
  expect(answers[0]!.headers['connection']).toBe('close');
});

describe('a client that sends Expect: 100-continue', () => {
  const expectContinue = (head: string) => `${head}Expect: 100-continue\r\nContent-Length: 200000\r\n\r\n`;

  test('is rejected without a 100 Continue', async () => {
    const bytes = expectContinue(`POST /api/v1/urls HTTP/1.1\r\n${host}${json}`);
    const { answers, isClosed } = await sendRaw(web.baseUrl(), bytes);
    expect(answers.map(({ status }) => status)).toEqual([401]);
    expect(isClosed).toBe(true);
  });

  test('gets a 100 Continue once its body is read', async () => {
    const bytes = expectContinue(`POST /api/v1/urls/bulk HTTP/1.1\r\n${host}${json}${key()}`);
    const { answers } = await sendRaw(web.baseUrl(), bytes, { answers: 1 });
    expect(answers.map(({ status }) => status)).toEqual([100]);
  });
});
