import { beforeAll, beforeEach, expect, test } from 'vitest';
import { openClickStore } from '../../../../src/analytics/click-store.ts';
import { createApiKeys } from '../../../../src/api-keys/api-keys.ts';
import { makeDetail, makeDetailedBatch } from '../../../support/clicks/analytics.ts';
import { openClickEvents } from '../../../support/clicks/click-events.ts';
import { useWeb } from '../../../support/http/web-app.ts';
import { sendRaw } from '../../../support/services/raw-http.ts';
import { waitUntil } from '../../../support/wait-until.ts';

const web = useWeb({ MAX_CLICK_STREAMS: '3' });
const atMs = Date.parse('2026-11-21T10:00:30Z');
const urlIds: Record<string, number> = {};
const open: (() => void)[] = [];

beforeAll(async () => {
  for (const [code, tags] of Object.entries({ 'code-one': ['tag'], 'code-two': [] })) {
    const body = { original_url: 'https://example.com/', custom_code: code, tags };
    urlIds[code] = Number((await web.client().post('/api/v1/urls', body)).body['id']);
  }
});

/** Open streams, which are closed after each test. */
beforeEach(async () => {
  for (const close of open.splice(0)) close();
  await waitUntil('a stream can be opened', async () => (await readStatus()) === 200);
});

/** Counts a click from a country, which identifies it. */
async function count(code: string, country: string): Promise<void> {
  const click = { urlId: urlIds[code]!, count: 1, lastAtMs: atMs, detail: makeDetail({ country }) };
  await openClickStore(web.database.db()).apply([makeDetailedBatch([click])]);
}

/** Opens a stream; resolves when it has begun. */
async function openStream(query = '', { key = web.apiKey(), lastId = '' } = {}) {
  const stream = await openClickEvents(`${web.baseUrl()}/api/v1/clicks/stream${query}`, {
    'x-api-key': key,
    ...(lastId && { 'last-event-id': lastId }),
  });
  open.push(stream.close);
  return stream;
}

/** Opens and closes one more stream; resolves to its status. */
async function readStatus(): Promise<number> {
  const response = await fetch(`${web.baseUrl()}/api/v1/clicks/stream`, {
    headers: { 'x-api-key': web.apiKey() },
  });
  await response.body!.cancel();
  return response.status;
}

test('a counted click is streamed without visitor data', async () => {
  const stream = await openStream();
  await count('code-one', 'DE');
  await waitUntil('the event arrives', () => stream.events().length > 0);
  expect(stream.events()).toEqual([
    {
      short_code: 'code-one',
      at: '2026-11-21T10:00:30.000Z',
      clicks: 1,
      is_bot: false,
      bot_kind: '',
      country: 'DE',
      referrer: 'example.org',
      browser: 'Firefox',
      os: 'Linux',
      device: 'desktop',
    },
  ]);
  expect(stream.response.headers).toMatchObject({
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
  });
});

test('a client that reconnects with the last ID gets missed and new clicks', async () => {
  const first = await openStream();
  await count('code-one', 'AA');
  await waitUntil('the event arrives', () => first.events().length > 0);
  first.close();
  await count('code-one', 'BB');
  await count('code-two', 'CC');
  const second = await openStream('', { lastId: first.lastId() });
  await waitUntil('the missed events arrive', () => second.events().length >= 2);
  await count('code-one', 'DD');
  await waitUntil('the new event arrives', () => second.events().length >= 3);
  expect(second.countries()).toEqual(['BB', 'CC', 'DD']);
});

test('a click of a transaction that overlaps another one is not missed', async () => {
  const stream = await openStream();
  const late = await web.database.db().transaction();
  await late.raw('select pg_current_xact_id()');
  await count('code-one', 'EE');
  await openClickStore(late).apply([
    makeDetailedBatch([
      { urlId: urlIds['code-two']!, count: 1, lastAtMs: atMs, detail: makeDetail({ country: 'FF' }) },
    ]),
  ]);
  await late.commit();
  await waitUntil('both events arrive', () => stream.events().length >= 2);
  expect(new Set(stream.countries())).toEqual(new Set(['EE', 'FF']));
});

test('a short code, a tag and a restricted key filter the stream', async () => {
  const { key } = await createApiKeys(web.database.db()).create('own', {
    ownUrlsOnly: true,
    scopes: ['stats:read'],
  });
  const before = await openStream();
  const begin = before.lastId();
  before.close();
  await waitUntil('the stream is closed', () => before.isOver());
  await count('code-two', 'GG');
  await count('code-one', 'HH');
  const byCode = await openStream('?short_code=code-one', { lastId: begin });
  const byTag = await openStream('?tag=tag', { lastId: begin });
  const own = await openStream('', { key, lastId: begin });
  await count('code-two', 'II');
  await count('code-one', 'JJ');
  await waitUntil(
    'the filtered events arrive',
    () => byCode.events().length >= 2 && byTag.events().length >= 2,
  );
  expect(byCode.countries()).toEqual(['HH', 'JJ']);
  expect(byTag.countries()).toEqual(['HH', 'JJ']);
  expect(own.events()).toEqual([]);
});

test('an alias selects the new clicks of its short URL, and goes on after a rename', async () => {
  const rename = async (from: string, short_code: string) =>
    expect((await web.client().request('PATCH', `/api/v1/urls/${from}`, { short_code })).status).toBe(200);
  await rename('code-two', 'code-2nd');
  const stream = await openStream('?short_code=code-two');
  await count('code-two', 'IT');
  await waitUntil('the click of the alias arrives', () => stream.events().length === 1);
  await rename('code-2nd', 'code-3rd');
  await count('code-one', 'AT');
  await count('code-two', 'ES');
  await waitUntil('the click after the rename arrives', () => stream.events().length === 2);
  expect(stream.events().map(({ short_code, country }) => [short_code, country])).toEqual([
    ['code-2nd', 'IT'],
    ['code-3rd', 'ES'],
  ]);
});

test('streams over the limit get 503 until another one is closed', async () => {
  const [first] = [await openStream(), await openStream(), await openStream()];
  expect(await readStatus()).toBe(503);
  first.close();
  await waitUntil('a stream can be opened', async () => (await readStatus()) === 200);
});

test('an unknown short code answers 404, and an invalid ID 422', async () => {
  const ask = async (query: string, headers = {}) =>
    (await web.client().get(`/api/v1/clicks/stream${query}`, headers)).status;
  expect(await ask('?short_code=unknown-1')).toBe(404);
  expect(await ask('', { 'last-event-id': 'x' })).toBe(422);
});

test('the stream of a revoked key ends', async () => {
  const { key, id } = await createApiKeys(web.database.db()).create('short', { scopes: ['stats:read'] });
  const stream = await openStream('', { key });
  await createApiKeys(web.database.db()).revoke(id);
  await waitUntil('the stream ends', () => stream.isOver());
});

test('a stream ends when its client closes its sending side', async () => {
  const head = `GET /api/v1/clicks/stream HTTP/1.1\r\nHost: x\r\nx-api-key: ${web.apiKey()}\r\n\r\n`;
  const { received, isClosed } = await sendRaw(web.baseUrl(), head, { ends: true });
  expect(received.slice(0, 12)).toBe('HTTP/1.1 200');
  expect(isClosed).toBe(true);
});

test('SIGTERM closes streams at once', async () => {
  const stream = await openStream();
  web.signal('SIGTERM');
  await waitUntil('the stream ends', () => stream.isOver(), 1_000);
});
