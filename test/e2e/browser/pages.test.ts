import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { openBrowser } from '../../support/http/browser.ts';
import { useWeb } from '../../support/http/web-app.ts';
import { track } from '../../support/resources.ts';
import { type RestrictedUrl, insertRestrictedUrl } from '../../support/urls/restricted-urls.ts';
import { waitUntil } from '../../support/wait-until.ts';

const web = useWeb();
const insert = async (url: RestrictedUrl) =>
  `${web.baseUrl()}/${await insertRestrictedUrl(web.database.db(), url)}`;

/** Waits until a short URL has this number of clicks. */
async function untilCounted(url: string, clicks: number): Promise<void> {
  await waitUntil(`the short URL has ${clicks} clicks`, async () => {
    const row = await web.database
      .db()('urls')
      .join('url_stats', 'id', 'url_id')
      .where({ short_code: new URL(url).pathname.slice(1) })
      .first('click_count');
    return row?.click_count === clicks;
  });
}

let browser: Browser;
let page: Page;
let target: Server;
let targetUrl: string;
/** The headers of the requests that reached the target site. */
let arrivals: IncomingHttpHeaders[] = [];
/** Dialogs, script errors and console errors in the browser. */
const complaints: string[] = [];
const closed: (() => void)[] = [];

beforeAll(async () => {
  browser = await openBrowser();
  closed.push(track('browser'));
  target = createServer((request, response) => {
    if (request.url !== '/favicon.ico') arrivals.push(request.headers);
    response.setHeader('content-type', 'text/html');
    const form = new URL(request.url!, targetUrl).searchParams.get('form');
    response.end(`<!doctype html><link rel="icon" href="data:,"><p>Arrived
      <form method="post" action="${form}"><button>Win</button></form>`);
  }).listen(0, '127.0.0.1');
  closed.push(track('target'));
  await once(target, 'listening');
  // A cross-site address for the browser: the service is at 127.0.0.1.
  targetUrl = `http://localhost:${(target.address() as AddressInfo).port}/arrived`;
});
afterAll(async () => {
  await browser?.close();
  target?.close();
  for (const close of closed) close();
});
beforeEach(async () => {
  arrivals = [];
  complaints.length = 0;
  page = await browser.newPage();
  page.setDefaultTimeout(10_000);
  page.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('pageerror', (error) => void complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
});
afterEach(async () => {
  await page.close();
});

test('the button of a one-time short URL opens the target once and not again', async () => {
  const url = await insert({ originalUrl: targetUrl, isOneTime: true });
  await page.goto(url);
  expect(arrivals).toEqual([]);
  await page.getByRole('button', { name: 'Open link' }).click();
  await page.getByText('Arrived').waitFor();
  expect(page.url()).toBe(targetUrl);
  expect(arrivals).toHaveLength(1);
  expect(arrivals[0]!.referer).toBeUndefined();
  expect(complaints).toEqual([]);

  await page.goto(url);
  await page.getByRole('heading', { name: 'This link has reached its click limit' }).waitFor();
  await untilCounted(url, 1);
});

test('a visitor with a wrong password sees an error, retries from the keyboard and arrives', async () => {
  const url = await insert({ originalUrl: targetUrl, password: 'open sesame' });
  await page.goto(url);
  await page.keyboard.type('open barley');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').getByText('The password is incorrect').waitFor();
  expect(await page.getByLabel('Password').inputValue()).toBe('');
  await page.keyboard.type('open sesame');
  await page.keyboard.press('Enter');
  await page.getByText('Arrived').waitFor();
  expect(arrivals.map(({ referer }) => referer)).toEqual([undefined]);
});

test('a cross-site form cannot use up a one-time short URL', async () => {
  const url = await insert({ originalUrl: targetUrl, isOneTime: true });
  await page.goto(`${targetUrl}?form=${url}`);
  await page.getByRole('button', { name: 'Win' }).click();
  await page.getByRole('heading', { name: 'Please open the link directly' }).waitFor();
  expect((await page.goto(url))?.status()).toBe(200);
  await page.getByRole('button', { name: 'Open link' }).waitFor();
});

test('a preview with a hostile title and URL runs no script and sends no cross-origin request', async () => {
  const script = '<script>alert(1)</script><img src=x onerror=alert(2)>';
  const title = `${script}"'><svg onload=alert(3)> \u202Egnp.exe`;
  const originalUrl = `https://example.com/${script}"'><svg/onload=alert(4)>\u202E`;
  const url = await insert({ originalUrl, title, notes: `${script} for the owner alone` });
  const requested: string[] = [];
  page.on('request', (request) => void requested.push(request.url()));
  await page.goto(`${url}+`);
  await page.getByText(script).first().waitFor();
  expect(await page.locator('script, img, svg').count()).toBe(0);
  const shown = await page.locator('main').innerText();
  expect(shown).toContain('gnp.exe');
  expect(shown).not.toContain('\u202E');
  expect(shown).not.toContain('for the owner alone');
  expect(requested.filter((one) => !one.startsWith(web.baseUrl()))).toEqual([]);
  expect(complaints).toEqual([]);
});

test('the link of a preview opens the original URL and counts a click', async () => {
  const url = await insert({ originalUrl: targetUrl });
  await page.goto(`${url}+`);
  await page.getByRole('link', { name: 'Open link' }).click();
  await page.getByText('Arrived').waitFor();
  expect(arrivals.map(({ referer }) => referer)).toEqual([undefined]);
  await untilCounted(url, 1);
});
