import { expect, test } from 'vitest';
import { readAccepted } from '../../support/clicks/accepted-clicks.ts';
import { visit } from '../../support/clicks/visitor.ts';
import { openPrometheus } from '../../support/http/prometheus.ts';
import { useWeb } from '../../support/http/web-app.ts';
import { type RestrictedUrl, insertRestrictedUrl } from '../../support/urls/restricted-urls.ts';
import { createUrl } from '../../support/urls/urls.ts';

const token = 'a-token-for-metrics';
const web = useWeb({ METRICS_TOKEN: token, METRICS_PUBLIC: 'true' });
const insert = async (url: RestrictedUrl) =>
  `${web.baseUrl()}/${await insertRestrictedUrl(web.database.db(), url)}`;
const countClicks = async () => await readAccepted(web.baseUrl(), token);
const countPrefetches = async () =>
  (await openPrometheus(web.baseUrl())).value('linkmill_redirects_total', { outcome: 'prefetch' });

const chrome =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36';

const prefetches: Record<string, string>[] = [
  { 'sec-purpose': 'prefetch' },
  { 'sec-purpose': 'prefetch;prerender' },
  { 'sec-purpose': 'prefetch;anonymous-client-ip' },
  { 'sec-purpose': 'prefetch', purpose: 'prefetch' },
  { purpose: 'prefetch' },
  { 'x-purpose': 'prefetch' },
  { 'x-moz': 'prefetch' },
  { 'sec-speculation-tags': 'null' },
];

test.each(prefetches)(
  'a prefetch with %j is rejected without a click, and the visit after it counts',
  async (headers) => {
    const url = `${web.baseUrl()}/${await createUrl(web.client())}`;
    const [clicks, before] = [await countClicks(), await countPrefetches()];
    // From the database, then from the memory cache.
    for (let times = 0; times < 2; times++) {
      const refused = await visit(url, { headers: { 'user-agent': chrome, ...headers } });
      expect(refused.status).toBe(403);
      expect(refused.headers.get('location')).toBeNull();
      expect(refused.headers.get('cache-control')).toBe('no-store');
      expect(refused.headers.get('vary')).toContain('Sec-Purpose');
    }
    expect(await countClicks()).toBe(clicks);
    expect(await countPrefetches()).toBe(before + 2);
    expect((await visit(url, { headers: { 'user-agent': chrome } })).status).toBe(301);
    expect(await countClicks()).toBe(clicks + 1);
  },
);

const previews: Record<string, string>[] = [{ purpose: 'preview' }, { 'x-purpose': 'preview' }];

test.each(previews)('a preview request with %j is redirected without a click', async (headers) => {
  const url = `${web.baseUrl()}/${await createUrl(web.client())}`;
  const clicks = await countClicks();
  for (let times = 0; times < 2; times++) {
    const answer = await visit(url, { headers });
    expect(answer.status).toBe(301);
    expect(answer.headers.get('cache-control')).toBe('no-store');
  }
  expect(await countClicks()).toBe(clicks);
});

test('a visit with other values of the same headers is a click', async () => {
  const url = `${web.baseUrl()}/${await createUrl(web.client())}`;
  const clicks = await countClicks();
  for (const [name, value] of [
    ['purpose', 'shopping'],
    ['sec-purpose', ''],
    ['x-moz', 'blocked'],
  ] as const)
    expect((await visit(url, { headers: { [name]: value } })).status).toBe(301);
  expect(await countClicks()).toBe(clicks + 3);
});

const crawlers = [
  'facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)',
  'Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)',
  'WhatsApp/2.24.20.89 A',
  'Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)',
  'Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko); compatible; ChatGPT-User/1.0; +https://openai.com/bot',
  'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
  'Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)',
];

test('a bot gets the preview page and never uses a click limit', async () => {
  const url = await insert({ maxClicks: 1, title: 'Only for people' });
  const clicks = await countClicks();
  for (const agent of crawlers) {
    const answer = await visit(url, { headers: { 'user-agent': agent } });
    expect(answer.status, agent).toBe(200);
    expect(answer.headers.get('location'), agent).toBeNull();
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.text).toContain('<meta property="og:title" content="Only for people"');
  }
  expect(await countClicks()).toBe(clicks);
  const person = async () => (await visit(url, { headers: { 'user-agent': chrome } })).status;
  expect(await person()).toBe(301);
  expect(await person()).toBe(410);
  expect((await visit(url, { headers: { 'user-agent': crawlers[0]! } })).status).toBe(410);
});

test('a preview or prefetch request never uses a click limit', async () => {
  const url = await insert({ maxClicks: 1 });
  for (const [headers, status] of [
    [{ 'x-purpose': 'preview' }, 200],
    [{ 'sec-purpose': 'prefetch' }, 403],
  ] as const) {
    const answer = await visit(url, { headers });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('location')).toBeNull();
  }
  expect((await visit(url, { headers: { 'user-agent': chrome } })).status).toBe(301);
});

test('a command-line tool uses a click limit', async () => {
  const url = await insert({ maxClicks: 1 });
  const curl = async () => (await visit(url, { headers: { 'user-agent': 'curl/8.5.0' } })).status;
  expect(await curl()).toBe(301);
  expect(await curl()).toBe(410);
});

test('a bot never sees the URL of a one-time short URL', async () => {
  const url = await insert({ isOneTime: true, title: 'A secret' });
  for (const agent of crawlers) {
    const answer = await visit(url, { headers: { 'user-agent': agent } });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('location')).toBeNull();
    expect(answer.text).not.toContain('behind-the-gate');
    expect(answer.text).not.toContain('A secret');
  }
});
