import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createUrlCleanupStore } from '../../../src/urls/store/cleanup-store.ts';
import { useWeb } from '../../support/http/web-app.ts';
import { createUrl } from '../../support/urls/urls.ts';
import { waitUntil } from '../../support/wait-until.ts';

const token = 'a-token-of-24-characters';
const web = useWeb({ METRICS_TOKEN: token });
const page = 'https://example.com/page';
const over = 'https://example.com/over';

const create = async (body: object = {}) => await createUrl(web.client(), { original_url: page, ...body });
const forgetCached = async (code: string) => await web.redis.redis().del(`${web.redis.prefix}:url:${code}`);
/** Clicks that the web process has recorded. */
async function countClicks(): Promise<number> {
  const answer = await fetch(`${web.baseUrl()}/metrics`, { headers: { authorization: `Bearer ${token}` } });
  return Number(/^linkmill_clicks_accepted_total (\d+)$/m.exec(await answer.text())![1]);
}

/** Status, `Location` and `Cache-Control`, from the memory cache if the short URL is in it. */
async function visit(code: string) {
  const { status, headers } = await web.client(null).get(`/${code}`);
  return [status, headers.get('location'), headers.get('cache-control')];
}

/** The responses to a visit from Redis, the memory cache and the database; HEAD gets the same. */
async function visitEverywhere(code: string) {
  const answers = [await visit(code), await visit(code)];
  await forgetCached(code);
  await web.client().patch(`/api/v1/urls/${code}`, { notes: 'read anew' });
  await forgetCached(code);
  answers.push(await visit(code));
  const { status, headers } = await web.client(null).head(`/${code}`);
  answers.push([status, headers.get('location'), headers.get('cache-control')]);
  return answers;
}

test.each([
  [{ redirect_status: 307 }, [307, page, 'private, max-age=0, must-revalidate']],
  [{ redirect_max_age_seconds: 60 }, [301, page, 'private, max-age=60']],
  [{ redirect_status: 302, redirect_max_age_seconds: 0 }, [302, page, 'private, max-age=0, must-revalidate']],
])('a redirect follows the settings of its short URL from every tier: %j', async (settings, answer) => {
  expect(await visitEverywhere(await create(settings))).toEqual(Array(4).fill(answer));
});

test('max-age of a redirect never exceeds the time until expiry', async () => {
  const code = await create({ redirect_max_age_seconds: 3_600, expires_in_seconds: 600 });
  const [, , cacheControl] = await visit(code);
  const seconds = Number(/^private, max-age=(\d+)$/.exec(String(cacheControl))![1]);
  expect(seconds).toBeLessThan(600);
  expect(seconds).toBeGreaterThan(500);
});

test('a short URL answers 404 until its start, and redirects from that millisecond on', async () => {
  const startsAt = Date.now() + 700;
  const code = await create({ starts_at: new Date(startsAt).toISOString(), redirect_status: 302 });
  const wrong: string[] = [];
  for (let status: unknown = 404; status === 404;) {
    const requestedAt = Date.now();
    [status] = await visit(code);
    if (status !== 404 && Date.now() < startsAt) wrong.push(`${String(status)} too early`);
    if (status === 404 && requestedAt >= startsAt) wrong.push(`404 after ${requestedAt - startsAt} ms`);
  }
  expect(wrong).toEqual([]);
  expect((await visit(code))[0]).toBe(302);
});

test('an expired short URL redirects to its fallback URL with 302 and without a click', async () => {
  const code = await create({ expires_in_seconds: 1, fallback_url: over });
  await waitUntil('the short URL expires', async () => (await visit(code))[1] !== page);
  const before = await countClicks();
  const fallback = [302, over, 'no-store'];
  expect(await visitEverywhere(code)).toEqual([fallback, fallback, fallback, fallback]);

  // The clean-up disables it.
  const ended = await createUrlCleanupStore(web.database.db()).disableExpired(new Date(), 1_000);
  expect(ended.map(({ shortCode }) => shortCode)).toContain(code);
  await forgetCached(code);
  await waitUntil('the memory cache has dropped the entry', async () => {
    await forgetCached(code);
    return (await visit(code))[1] === over;
  });
  expect(await countClicks()).toBe(before);
  await visit(await create());
  expect(await countClicks()).toBe(before + 1);
});

test('a disabled short URL does not redirect to its fallback URL after expiry', async () => {
  const code = await create({ fallback_url: over });
  await web.client().patch(`/api/v1/urls/${code}`, { is_active: false });
  await web.database
    .db()('urls')
    .where({ short_code: code })
    .update({ expires_at: new Date(0) });
  await forgetCached(code);
  expect((await visit(code))[1]).toBeNull();
});

test('a short URL with an access rule is never redirected directly, from any tier', async () => {
  for (const accessRule of [{ password: 'open sesame' }, { is_one_time: true }]) {
    const code = await create(accessRule);
    for (const [, location] of await visitEverywhere(code))
      expect(location, JSON.stringify(accessRule)).toBeNull();
  }
});

/** The `Location` for a raw request target, as sent. */
async function readLocation(target: string): Promise<string | undefined> {
  const socket = connect(Number(new URL(web.baseUrl()).port), '127.0.0.1');
  socket.write(Buffer.from(`GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`, 'latin1'));
  const lines = (await text(socket)).split('\r\n\r\n')[0]!.split('\r\n');
  const locations = lines.filter((line) => line.startsWith('Location: '));
  expect(locations.length).toBeLessThan(2);
  return locations[0]?.slice('Location: '.length);
}

test("only a short URL with forward_query appends a visitor's query, from any tier", async () => {
  const forwarding = await create({ original_url: `${page}?a=1#part`, forward_query: true });
  const plain = await create({ original_url: `${page}?a=1#part` });
  for (let times = 0; times < 2; times++) {
    expect(await readLocation(`/${forwarding}?b=2&a=3`)).toBe(`${page}?a=1&b=2&a=3#part`);
    expect(await readLocation(`/${forwarding}`)).toBe(`${page}?a=1#part`);
    expect(await readLocation(`http://x/${forwarding}?b=2`)).toBe(`${page}?a=1&b=2#part`);
    expect(await readLocation(`/${plain}?b=2`)).toBe(`${page}?a=1#part`);
  }
  const { headers } = await web.client(null).head(`/${forwarding}?b=2`);
  expect(headers.get('location')).toBe(`${page}?a=1&b=2#part`);
});

test('any query gives a Location of one line on the stored origin', async () => {
  const code = await create({ original_url: `${page}?a=1`, forward_query: true });
  const query = fc.string({ unit: fc.integer({ min: 0x21, max: 0xff }).map((n) => String.fromCharCode(n)) });
  await fc.assert(
    fc.asyncProperty(query, async (text) => {
      const location = await readLocation(`/${code}?${text}`);
      // Node rejects some request lines itself.
      if (location === undefined) return;
      expect(location).toMatch(/^https:\/\/example\.com\/page\?a=1(&[!-~]*)?$/);
      expect(new URL(location).origin).toBe('https://example.com');
    }),
    { numRuns: 100 },
  );
});

test('robots.txt allows crawlable short URLs only', async () => {
  const crawlable = await create({ crawlable: true });
  const deleted = await create({ crawlable: true });
  await web.client().delete(`/api/v1/urls/${deleted}`);
  const later = await create({ crawlable: true, starts_at: '2090-01-01T00:00:00Z' });
  const disabled = await create({ crawlable: true, is_active: false });
  const other = await create();
  const answer = await fetch(`${web.baseUrl()}/robots.txt`);
  expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8');
  const robots = await answer.text();
  expect(robots).toMatch(/^User-agent: \*\nAllow: [^]*\nDisallow: \/\n$/);
  expect(robots).toContain(`\nAllow: /${crawlable}$\n`);
  for (const code of [deleted, later, disabled, other]) expect(robots).not.toContain(code);
});
