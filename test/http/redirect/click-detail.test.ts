import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import type { ClickDetail } from '../../../src/clicks/click-detail.ts';
import { createClickStream } from '../../../src/clicks/stream/stream.ts';
import { useWeb } from '../../support/http/web-app.ts';
import { waitUntil } from '../../support/wait-until.ts';

const address = '198.51.100.77';
const web = useWeb({
  COUNTRY_HEADER: 'CF-IPCountry',
  TRUSTED_PROXY_HOPS: '1',
  ACCESS_LOG: 'all',
  LOG_LEVEL: 'trace',
});
const ofSafari = {
  'User-Agent':
    'Mozilla/5.0 (iPhone; CPU iPhone OS 17_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.2 Mobile/15E148 Safari/604.1',
  Referer: 'https://news.example/item?id=1',
  'CF-IPCountry': 'NP',
  'X-Forwarded-For': `6.6.6.6, ${address}`,
};

async function createUrl(path: string) {
  const answer = await web.client().post('/api/v1/urls', { original_url: `https://example.com/${path}` });
  return { code: String(answer.body['short_code']), id: Number(answer.body['id']) };
}

/** Sends a raw request line; resolves to the status of the response. */
async function send(requestLine: string, headers: Record<string, string>): Promise<number> {
  const socket = connect(Number(new URL(web.baseUrl()).port), '127.0.0.1');
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`${requestLine} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${lines.join('')}\r\n`);
  return Number((await text(socket)).split(' ')[1]);
}

/** The details of the clicks on a short URL that wait in Redis, one entry per click. */
async function readDetails(urlId: number): Promise<(ClickDetail | undefined)[]> {
  const stream = createClickStream(web.redis.redis(), { prefix: web.redis.prefix, shards: 1 });
  const clicks = (await stream.readPending(0)).flatMap(({ batch }) => batch!.clicks);
  return clicks.flatMap((click) =>
    click.urlId === urlId ? Array.from({ length: click.count }, () => click.detail) : [],
  );
}

test('a click has details from every tier', async () => {
  const { code, id } = await createUrl('ways');
  expect(await send(`GET /${code}`, ofSafari)).toBe(301);
  expect(await send(`GET /${code}`, ofSafari)).toBe(301);
  // A target in absolute form.
  expect(await send(`GET http://x/${code}`, ofSafari)).toBe(301);
  expect(await send(`HEAD /${code}`, ofSafari)).toBe(301);
  const [first, ...others] = await readDetails(id);
  expect(first).toEqual({
    country: 'NP',
    referrer: 'news.example',
    browser: 'Safari',
    os: 'iOS',
    device: 'mobile',
    isBot: false,
    visitor: expect.stringMatching(/^[0-9a-f]{16}$/),
  });
  expect(others).toEqual([first, first]);
});

test('the visitor ID uses the address from the trusted proxy', async () => {
  const { code, id } = await createUrl('proxy');
  for (const forwarded of [address, `1.1.1.1, ${address}`, `${address}, 1.1.1.1`])
    await send(`GET /${code}`, { ...ofSafari, 'X-Forwarded-For': forwarded });
  const visitors = (await readDetails(id)).map((detail) => detail!.visitor);
  expect(visitors).toHaveLength(3);
  expect(visitors[1]).toBe(visitors[0]);
  expect(visitors[2]).not.toBe(visitors[0]);
});

test('hostile headers are truncated, and the click is counted', async () => {
  const { code, id } = await createUrl('hostile');
  const hostile = {
    'User-Agent': `${'<script>'.repeat(1_000)}\u{1}`,
    Referer: `https://${'a'.repeat(5_000)}.example/`,
    'CF-IPCountry': '<b>',
    'X-Forwarded-For': 'x'.repeat(1_000),
  };
  expect(await send(`GET /${code}`, { ...hostile, 'User-Agent': '<script>'.repeat(1_000) })).toBe(301);
  const [detail] = await readDetails(id);
  expect(detail).toMatchObject({ country: '', browser: '', os: '' });
  expect(detail!.referrer.length).toBeLessThanOrEqual(100);
  expect(await send(`GET /${code}`, hostile)).toBe(400);
});

test('no client address is stored in Redis, PostgreSQL or the log', async () => {
  const { code, id } = await createUrl('rest');
  await send(`GET /${code}`, ofSafari);
  const inRedis = await readRedis();
  expect(inRedis).toContain(`${web.redis.prefix}:clicks`);
  expect(inRedis).not.toContain(address);
  await waitUntil('the click is counted', async () => {
    const row = await web.database.db()('url_stats').where({ url_id: id }).first();
    return row?.click_count === 1;
  });
  const inPostgres = await readPostgres();
  expect(inPostgres).toContain(code);
  for (const place of [inPostgres, await readRedis(), web.output()]) expect(place).not.toContain(address);
  expect(web.output()).toContain(code);
});

async function readRedis(): Promise<string> {
  const redis = web.redis.redis();
  const keys = await redis.keys(`${web.redis.prefix}:*`);
  const dumps = await Promise.all(
    keys.map(async (key) => [key, (await redis.dumpBuffer(key))?.toString('latin1')]),
  );
  // The dump may be compressed.
  const batches = await redis.xrangeBuffer(`${web.redis.prefix}:clicks:{0}`, '-', '+');
  return JSON.stringify([
    dumps,
    batches.map(([, fields]) => fields.map((field) => field.toString('latin1'))),
  ]);
}

async function readPostgres(): Promise<string> {
  const db = web.database.db();
  const tables = await db('pg_tables').where({ schemaname: 'public' }).pluck<string[]>('tablename');
  const rows = await Promise.all(
    tables.map(async (table) => (await db.raw('select cast(t as text) as row from ?? as t', [table])).rows),
  );
  return JSON.stringify(rows);
}
