import { type IncomingMessage, request } from 'node:http';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { createApiKeys } from '../../src/api-keys/api-keys.ts';
import type { ClickCount } from '../../src/clicks/click-batch.ts';
import { createClickStore } from '../../src/clicks/click-store.ts';
import { makeDetail, makeDetailedBatch } from '../support/analytics.ts';
import { waitUntil } from '../support/wait-until.ts';
import { useWeb } from '../support/web-app.ts';

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

/** All of them are closed again. */
beforeEach(async () => {
  for (const close of open.splice(0)) close();
  await waitUntil('there is room', async () => (await readStatus()) === 200);
});

/** Counts clicks from a country of their own. */
async function count(code: string, country: string): Promise<void> {
  await apply([{ urlId: urlIds[code]!, count: 1, lastAtMs: atMs, detail: makeDetail({ country }) }]);
}

const apply = async (clicks: ClickCount[]) =>
  await createClickStore(web.database.db()).apply([makeDetailedBatch(clicks)]);

/** Reads a stream from when it is there. */
async function openStream(query = '', { key = web.apiKey(), lastId = '' } = {}) {
  const sent = request(`${web.baseUrl()}/api/v1/clicks/stream${query}`, {
    headers: { 'x-api-key': key, ...(lastId && { 'last-event-id': lastId }) },
    agent: false,
  });
  let text = '';
  let isOver = false;
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    sent.on('response', resolve);
    sent.on('error', reject);
    sent.end();
  });
  response.on('data', (chunk: Buffer) => (text += String(chunk)));
  response.on('error', () => (isOver = true));
  response.on('close', () => (isOver = true));
  const stream = {
    response,
    text: () => text,
    events: () =>
      [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data!) as Record<string, unknown>),
    countries: () => stream.events().map(({ country }) => country),
    lastId: () => [...text.matchAll(/^id: (\d+)$/gm)].at(-1)![1]!,
    isOver: () => isOver,
    close: () => sent.destroy(),
  };
  open.push(stream.close);
  await waitUntil('the stream begins', () => text.includes('id: '));
  return stream;
}

/** The status of one more stream, which is closed again. */
async function readStatus(): Promise<number> {
  const response = await fetch(`${web.baseUrl()}/api/v1/clicks/stream`, {
    headers: { 'x-api-key': web.apiKey() },
  });
  await response.body!.cancel();
  return response.status;
}

test('a click comes once it is counted, with all but who made it', async () => {
  const stream = await openStream();
  await count('code-one', 'DE');
  await waitUntil('it comes', () => stream.events().length > 0);
  expect(stream.events()).toEqual([
    {
      short_code: 'code-one',
      at: '2026-11-21T10:00:30.000Z',
      clicks: 1,
      is_bot: false,
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

test('who comes back with the last id gets what it missed, once, and then what is new', async () => {
  const first = await openStream();
  await count('code-one', 'AA');
  await waitUntil('it comes', () => first.events().length > 0);
  first.close();
  await count('code-one', 'BB');
  await count('code-two', 'CC');
  const second = await openStream('', { lastId: first.lastId() });
  await waitUntil('what was missed comes', () => second.events().length >= 2);
  await count('code-one', 'DD');
  await waitUntil('what is new comes', () => second.events().length >= 3);
  expect(second.countries()).toEqual(['BB', 'CC', 'DD']);
});

test('a click whose transaction began earlier and ended later than another one is not missed', async () => {
  const stream = await openStream();
  const late = await web.database.db().transaction();
  await late.raw('select pg_current_xact_id()');
  await count('code-one', 'EE');
  await createClickStore(late).apply([
    makeDetailedBatch([
      { urlId: urlIds['code-two']!, count: 1, lastAtMs: atMs, detail: makeDetail({ country: 'FF' }) },
    ]),
  ]);
  await late.commit();
  await waitUntil('both come', () => stream.events().length >= 2);
  expect(new Set(stream.countries())).toEqual(new Set(['EE', 'FF']));
});

test('a short code, a tag and a key that is for its own narrow it down, with and without an id', async () => {
  const { key } = await createApiKeys(web.database.db()).create('own', {
    ownUrlsOnly: true,
    scopes: ['stats:read'],
  });
  const before = await openStream();
  const begin = before.lastId();
  before.close();
  await waitUntil('it is closed', () => before.isOver());
  await count('code-two', 'GG');
  await count('code-one', 'HH');
  const byCode = await openStream('?short_code=code-one', { lastId: begin });
  const byTag = await openStream('?tag=tag', { lastId: begin });
  const own = await openStream('', { key, lastId: begin });
  await count('code-two', 'II');
  await count('code-one', 'JJ');
  await waitUntil('they come', () => byCode.events().length >= 2 && byTag.events().length >= 2);
  expect([byCode.countries(), byTag.countries(), own.events()]).toEqual([['HH', 'JJ'], ['HH', 'JJ'], []]);
});

test('more streams than the setting allows are answered 503, and there is room again when one is closed', async () => {
  const [first] = [await openStream(), await openStream(), await openStream()];
  expect(await readStatus()).toBe(503);
  first.close();
  await waitUntil('there is room', async () => (await readStatus()) === 200);
});

test('a short code that is unknown is a 404, an id that is none a 422', async () => {
  const ask = async (query: string, headers = {}) =>
    (await web.client().get(`/api/v1/clicks/stream${query}`, headers)).status;
  expect([await ask('?short_code=unknown-1'), await ask('', { 'last-event-id': 'x' })]).toEqual([404, 422]);
});

test('the stream of a revoked key ends', async () => {
  const { key, id } = await createApiKeys(web.database.db()).create('short', { scopes: ['stats:read'] });
  const stream = await openStream('', { key });
  await createApiKeys(web.database.db()).revoke(id);
  await waitUntil('it ends', () => stream.isOver());
});

test('a reader that reads nothing is cut off, and another one gets every click meanwhile', async () => {
  const slow = await openStream();
  slow.response.pause();
  const quick = await openStream();
  await openStream();
  const rows = 5_000;
  const clicks = Array.from({ length: rows }, (_, i) => ({
    urlId: urlIds['code-one']!,
    count: 1,
    lastAtMs: atMs,
    detail: makeDetail({ visitor: i + 1, referrer: `${'long.'.repeat(45)}example` }),
  }));
  let counted = 0;
  while ((await readStatus()) === 503) {
    await apply(clicks);
    counted += rows;
    const hasAll = () => quick.text().split('\ndata: ').length > counted;
    await waitUntil('the quick one has all', hasAll, 20_000);
  }
  expect(quick.isOver()).toBe(false);
  slow.response.resume();
  await waitUntil('the slow one hears of it', () => slow.isOver());
}, 60_000);

test('SIGTERM ends streams at once', async () => {
  const stream = await openStream();
  const sentAt = performance.now();
  web.signal('SIGTERM');
  await waitUntil('it ends', () => stream.isOver());
  expect(performance.now() - sentAt).toBeLessThan(1_000);
});
