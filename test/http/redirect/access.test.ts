import { describe, expect, test } from 'vitest';
import { readAccepted } from '../../support/clicks/accepted-clicks.ts';
import { type RequestOptions, submit, visit } from '../../support/clicks/visitor.ts';
import { useWeb } from '../../support/http/web-app.ts';
import {
  deleteUnnoticed,
  type RestrictedUrl,
  insertRestrictedUrl,
} from '../../support/urls/restricted-urls.ts';

const metricsToken = 'a-token-for-metrics';
const web = useWeb({ TRUSTED_PROXY_HOPS: '1', METRICS_TOKEN: metricsToken });
const insert = async (url: RestrictedUrl) =>
  `${web.baseUrl()}/${await insertRestrictedUrl(web.database.db(), url)}`;
const json = { accept: 'application/json' };
const countClicks = async () => await readAccepted(web.baseUrl(), metricsToken);
const problem = async (url: string, init?: RequestOptions) => {
  const { status, text } = await visit(url, { ...init, headers: { ...json, ...init?.headers } });
  return { status, type: (JSON.parse(text) as { type: string }).type.split('#').at(-1) };
};

describe('a one-time short URL', () => {
  test('redirects the first POST only, and records one click', async () => {
    const url = await insert({ isOneTime: true });
    const before = await countClicks();
    const opened = await submit(url);
    expect(opened.status).toBe(303);
    expect(opened.headers.get('location')).toBe('https://example.com/behind-the-gate');
    expect(opened.headers.get('cache-control')).toBe('no-store');
    expect(await countClicks()).toBe(before + 1);
    const again = await submit(url);
    expect(again.status).toBe(410);
    expect(again.headers.get('location')).toBeNull();
    expect(again.text).toContain('This link has reached its click limit');
    expect((await visit(url)).status).toBe(410);
    expect(await countClicks()).toBe(before + 1);
  });

  test('is not used up by GET, HEAD, prefetches or link previews', async () => {
    const url = await insert({ isOneTime: true });
    const before = await countClicks();
    const looks: Record<string, string>[] = [
      {},
      { 'sec-purpose': 'prefetch;prerender' },
      { purpose: 'prefetch' },
      { accept: '*/*', 'user-agent': 'Slackbot-LinkExpanding 1.0' },
    ];
    for (const headers of looks) {
      for (const method of ['GET', 'HEAD']) {
        const seen = await visit(url, { method, headers });
        expect(seen.status).toBe(200);
        expect(seen.headers.get('location')).toBeNull();
        expect(seen.headers.get('content-type')).toBe('text/html; charset=utf-8');
      }
    }
    expect(await countClicks()).toBe(before);
    expect((await submit(url)).status).toBe(303);
  });

  test('rejects a form of another site', async () => {
    const url = await insert({ isOneTime: true });
    for (const [name, value] of [
      ['sec-fetch-site', 'cross-site'],
      ['sec-fetch-site', 'same-site'],
      ['origin', 'https://evil.example'],
      ['origin', 'null'],
    ] as const)
      expect((await submit(url, {}, { [name]: value })).status).toBe(403);
    expect((await submit(url, {}, { 'sec-fetch-site': 'same-origin' })).status).toBe(303);
  });

  test('answers a JSON client that a POST is required', async () => {
    const url = await insert({ isOneTime: true });
    expect(await problem(url)).toEqual({ status: 403, type: 'confirmation-required' });
    const opened = await fetch(url, { method: 'POST', redirect: 'manual', headers: json });
    expect(opened.status).toBe(303);
    expect(await problem(url, { method: 'POST' })).toEqual({ status: 410, type: 'exhausted' });
  });

  test('redirects to its fallback URL after its use', async () => {
    const url = await insert({ isOneTime: true, fallbackUrl: 'https://example.com/too-late' });
    await submit(url);
    for (const answer of [await submit(url), await visit(url)]) {
      expect(answer.status).toBe(302);
      expect(answer.headers.get('location')).toBe('https://example.com/too-late');
    }
  });
});

describe('a short URL with a password', () => {
  test('redirects every time for the right password, and never for a wrong one', async () => {
    const url = await insert({ password: 'ein Paßwort' });
    expect((await visit(url)).text).toContain('This link requires a password');
    const wrong = await submit(url, { password: 'another' });
    expect(wrong.status).toBe(403);
    expect(wrong.headers.get('location')).toBeNull();
    expect(wrong.text).toContain('The password is incorrect');
    for (let times = 0; times < 2; times++) {
      const right = await submit(url, { password: 'ein Paßwort' });
      expect(right.status).toBe(303);
      expect(right.headers.get('location')).toBe('https://example.com/behind-the-gate');
    }
  });

  test('does not reveal its original URL before the password', async () => {
    const url = await insert({ password: 'secret', title: 'Our secret plans' });
    for (const answer of [
      await visit(url),
      await visit(`${url}+`),
      await submit(url, { password: 'wrong' }),
    ]) {
      expect(answer.text).not.toContain('behind-the-gate');
      expect(answer.text).not.toContain('example.com');
      expect(answer.text).not.toContain('secret plans');
      expect(JSON.stringify([...answer.headers])).not.toContain('example.com');
    }
  });

  test('neither uses the click limit nor records a click for a wrong password', async () => {
    const url = await insert({ password: 'secret', isOneTime: true });
    const before = await countClicks();
    expect((await submit(url, { password: 'wrong' })).status).toBe(403);
    expect((await submit(url)).status).toBe(200);
    expect(await countClicks()).toBe(before);
    expect((await submit(url, { password: 'secret' })).status).toBe(303);
    expect(await countClicks()).toBe(before + 1);
    expect((await submit(url, { password: 'secret' })).status).toBe(410);
  });

  test('accepts only the new password from the moment of its change', async () => {
    const url = await insert({ password: 'old secret' });
    expect((await submit(url, { password: 'old secret' })).status).toBe(303);
    const other = await insert({ password: 'new secret' });
    await web.database.db().raw(
      `update urls set password_hash = (select password_hash from urls where short_code = :other)
       where short_code = :code`,
      { code: new URL(url).pathname.slice(1), other: new URL(other).pathname.slice(1) },
    );
    expect((await submit(url, { password: 'old secret' })).status).toBe(403);
    expect((await submit(url, { password: 'new secret' })).status).toBe(303);
  });

  test('answers 404 to any password once deleted, even while its page is cached', async () => {
    const url = await insert({ password: 'open sesame' });
    expect((await visit(url)).status).toBe(200);
    await deleteUnnoticed(web.database.db(), new URL(url).pathname.slice(1));
    expect((await submit(url, { password: 'open sesame' })).status).toBe(404);
  });

  test('answers 429 after five wrong passwords, only to that address', async () => {
    const url = await insert({ password: 'secret' });
    const from = (address: string) => ({ 'x-forwarded-for': address });
    for (let tries = 0; tries < 5; tries++)
      expect((await submit(url, { password: `wrong ${tries}` }, from('198.51.100.9'))).status).toBe(403);
    const refused = await submit(url, { password: 'secret' }, from('198.51.100.9'));
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(800);
    expect(refused.text).toContain('Too many attempts');
    expect((await submit(url, { password: 'secret' }, from('198.51.100.10'))).status).toBe(303);
  });

  test('answers a JSON client with the problem', async () => {
    const url = await insert({ password: 'secret' });
    const post = async (body: URLSearchParams | string, type?: string) =>
      await problem(url, { method: 'POST', body, ...(type && { headers: { 'content-type': type } }) });
    expect(await problem(url)).toEqual({ status: 403, type: 'password-required' });
    expect(await problem(url, { method: 'POST' })).toEqual({ status: 403, type: 'password-required' });
    expect(await post(new URLSearchParams({ password: 'wrong' }))).toEqual({
      status: 403,
      type: 'invalid-password',
    });
    expect(await post('{"password":"secret"}', 'application/json')).toEqual({
      status: 415,
      type: 'unsupported-media-type',
    });
    expect(await post(new URLSearchParams({ password: 'x'.repeat(5_000) }))).toEqual({
      status: 413,
      type: 'too-large',
    });
    expect(await post(new URLSearchParams('password[a]=secret'))).toEqual({
      status: 403,
      type: 'password-required',
    });
  });
});

describe('a short URL with a click limit', () => {
  test('redirects and counts exactly its limit of clicks, then answers 410', async () => {
    const url = await insert({ maxClicks: 3 });
    const before = await countClicks();
    const statuses: number[] = [];
    for (let times = 0; times < 5; times++) statuses.push((await visit(url)).status);
    expect(statuses).toEqual([301, 301, 301, 410, 410]);
    expect(await countClicks()).toBe(before + 3);
    expect(await problem(url)).toEqual({ status: 410, type: 'exhausted' });
  });

  test('must not be cached by browsers', async () => {
    const url = await insert({ maxClicks: 3 });
    expect((await visit(url)).headers.get('cache-control')).toBe('no-store');
  });

  test('is not used by HEAD or by a rejected prefetch', async () => {
    const url = await insert({ maxClicks: 1 });
    const head = async () => (await visit(url, { method: 'HEAD' })).status;
    expect(await head()).toBe(301);
    expect(await head()).toBe(301);
    expect((await visit(url, { headers: { 'sec-purpose': 'prefetch' } })).status).toBe(403);
    expect((await visit(url)).status).toBe(301);
    expect(await head()).toBe(410);
  });

  test('redirects to its fallback URL without a click once it is exhausted', async () => {
    const url = await insert({ maxClicks: 1, fallbackUrl: 'https://example.com/too-late' });
    expect((await visit(url)).headers.get('location')).toBe('https://example.com/behind-the-gate');
    const before = await countClicks();
    const late = await visit(url);
    expect(late.status).toBe(302);
    expect(late.headers.get('location')).toBe('https://example.com/too-late');
    expect(await countClicks()).toBe(before);
  });

  test('answers other methods than GET and HEAD with 405', async () => {
    const answer = await submit(await insert({ maxClicks: 1 }));
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe('GET, HEAD');
  });
});
