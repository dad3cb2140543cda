import { expect, test } from 'vitest';
import { readAccepted } from '../../support/clicks/accepted-clicks.ts';
import { submit, visit } from '../../support/clicks/visitor.ts';
import { useWeb } from '../../support/http/web-app.ts';
import {
  deleteUnnoticed,
  type RestrictedUrl,
  insertRestrictedUrl,
} from '../../support/urls/restricted-urls.ts';

const metricsToken = 'a-token-for-metrics';
const web = useWeb({ METRICS_TOKEN: metricsToken });
const insert = async (url: RestrictedUrl) =>
  `${web.baseUrl()}/${await insertRestrictedUrl(web.database.db(), url)}`;
const countClicks = async () => await readAccepted(web.baseUrl(), metricsToken);
const readJson = async (url: string) =>
  JSON.parse((await visit(url, { headers: { accept: 'application/json' } })).text) as Record<string, unknown>;

test('a preview shows original URL, title, creation and expiry', async () => {
  const expiresAt = new Date('2099-12-31T23:59:00Z');
  const url = await insert({ originalUrl: 'https://example.com/a?b=c#d', title: 'A “page”', expiresAt });
  const preview = await visit(`${url}+`);
  expect(preview.status).toBe(200);
  for (const shown of ['https://example.com/a?b=c#d', 'A “page”', '31 December 2099', '23:59 UTC'])
    expect(preview.text).toContain(shown);
  expect(await readJson(`${url}+`)).toEqual({
    short_code: new URL(url).pathname.slice(1),
    short_url: url,
    original_url: 'https://example.com/a?b=c#d',
    host: 'example.com',
    host_unicode: 'example.com',
    title: 'A “page”',
    created_at: expect.any(String),
    expires_at: expiresAt.toISOString(),
    has_password: false,
    is_one_time: false,
  });
});

test('a preview shows an international host in Unicode and in ASCII', async () => {
  const url = await insert({ originalUrl: 'https://xn--80ak6aa92e.com/login' });
  const { text } = await visit(`${url}+`);
  expect(text).toContain('аррӏе.com');
  expect(text).toContain('xn--80ak6aa92e.com');
  expect(await readJson(`${url}+`)).toMatchObject({
    host: 'xn--80ak6aa92e.com',
    host_unicode: 'аррӏе.com',
  });
});

test('a preview neither redirects, nor records a click, nor uses a limit', async () => {
  const url = await insert({ maxClicks: 1 });
  const before = await countClicks();
  for (let times = 0; times < 3; times++) {
    const { status, headers } = await visit(`${url}+`);
    expect(status).toBe(200);
    expect(headers.get('location')).toBeNull();
  }
  expect((await visit(`${url}+`, { method: 'HEAD' })).status).toBe(200);
  expect((await submit(`${url}+`)).status).toBe(405);
  expect(await countClicks()).toBe(before);
  expect((await visit(url)).status).toBe(301);
});

test('a preview hides the URL behind a password or one-time use', async () => {
  for (const gate of [{ password: 'secret' }, { isOneTime: true }]) {
    const url = await insert({ ...gate, title: 'Our secret plans' });
    const { status, text } = await visit(`${url}+`);
    expect(status).toBe(200);
    expect(text).not.toMatch(/example\.com|behind|plans/);
    expect(await readJson(`${url}+`)).toMatchObject({ original_url: null, host: null, title: null });
  }
});

test('a short URL that does not redirect has no preview', async () => {
  const hour = 3_600_000;
  const expired = await insert({ expiresAt: new Date(Date.now() - hour) });
  expect((await visit(`${expired}+`)).status).toBe(410);
  const usedUp = await insert({ maxClicks: 1 });
  await visit(usedUp);
  expect((await visit(`${usedUp}+`)).status).toBe(410);
  const nowhere = [
    `${web.baseUrl()}/unknown9`,
    await insert({ isActive: false }),
    await insert({ startsAt: new Date(Date.now() + hour) }),
  ];
  for (const url of nowhere) expect((await visit(`${url}+`)).status).toBe(404);
});

test('a deleted short URL has no preview, even while its redirect is cached', async () => {
  const url = await insert({});
  await visit(url);
  await deleteUnnoticed(web.database.db(), new URL(url).pathname.slice(1));
  expect((await visit(`${url}+`)).status).toBe(404);
});
