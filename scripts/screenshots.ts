import { mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { openBrowser } from '../test/support/http/browser.ts';
import { readEnvFile } from './local/env-file.ts';

/** npm run screenshots: takes the screenshots in docs/images from a service that `npm run local -- --demo` runs in another shell. */
const root = fileURLToPath(new URL('..', import.meta.url));
const folder = path.join(root, 'docs/images');
const { BASE_URL, API_KEY } = readEnvFile(
  path.resolve(root, process.env['LINKMILL_LOCAL_DIR'] || '.local', 'env'),
);
/** A README loads every image. */
const maxBytes = 150_000;

mkdirSync(folder, { recursive: true });
const browser = await openBrowser();
try {
  const context = await browser.newContext({ locale: 'en-GB', timezoneId: 'Europe/Berlin' });
  const page = await context.newPage();
  await signIn(page);
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    const suffix = colorScheme === 'dark' ? '-dark' : '';
    await takeScreen(page, `/admin/`, `links${suffix}`);
    await takeScreen(page, `/admin/links/${await findPopularCode()}`, `link${suffix}`);
    await takeScreen(page, `/admin/operations`, `operations${suffix}`);
    await takePreview(page, `preview-page${suffix}`);
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await takeApiDocs(page);
  await takeBullBoard(page);
} finally {
  await browser.close();
}

/** The browser gets the cookie of a session. */
async function signIn(page: Page): Promise<void> {
  await page.goto(`${BASE_URL}/admin/`);
  await page.getByLabel('API key').fill(API_KEY!);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.locator('main .screen h1').waitFor();
}

/** The code of the link with the most clicks. */
async function findPopularCode(): Promise<string> {
  const answer = (await (await request('/api/v1/urls?sort=-clicks&limit=1')).json()) as {
    items: { short_code: string }[];
  };
  const [link] = answer.items;
  if (link === undefined) throw new Error('the service has no links: run npm run local -- --demo');
  return link.short_code;
}

async function takeScreen(page: Page, route: string, name: string): Promise<void> {
  await page.setViewportSize({ width: 1_180, height: 620 });
  await page.goto(`${BASE_URL}${route}`);
  await page.locator('main .screen h1').waitFor();
  await page.waitForLoadState('networkidle');
  await save(page, name);
}

async function takePreview(page: Page, name: string): Promise<void> {
  await page.setViewportSize({ width: 820, height: 520 });
  await page.goto(`${BASE_URL}/${await findPopularCode()}+`);
  await save(page, name);
}

async function takeApiDocs(page: Page): Promise<void> {
  await page.setViewportSize({ width: 1_100, height: 700 });
  await page.goto(`${BASE_URL}/docs`);
  await page.locator('.opblock').first().waitFor();
  await save(page, 'api-docs');
}

/** Taken while the job runs, so that the progress bar is partly filled. */
async function takeBullBoard(page: Page): Promise<void> {
  await page.setViewportSize({ width: 1_100, height: 640 });
  await request('/api/v1/jobs/replenish-keys', { target: 1_500_000 });
  await page.goto(`${BASE_URL}/admin/queues/queue/replenish-keys`);
  const bar = page.getByRole('main').getByRole('progressbar').first();
  const deadline = Date.now() + 60_000;
  for (let value = 0; value < 20 || value === 100; value = Number(await bar.getAttribute('aria-valuenow'))) {
    if (Date.now() > deadline)
      throw new Error('the job was not seen while it ran: delete .local and run it again');
  }
  await save(page, 'bull-board');
}

async function request(route: string, body?: object): Promise<Response> {
  return await fetch(`${BASE_URL}${route}`, {
    headers: { 'content-type': 'application/json', 'x-api-key': API_KEY! },
    ...(body && { method: 'POST', body: JSON.stringify(body) }),
  });
}

async function save(page: Page, name: string): Promise<void> {
  const file = path.join(folder, `${name}.png`);
  await page.screenshot({ path: file });
  const { size } = statSync(file);
  console.log(`${path.relative(root, file)}: ${Math.round(size / 1_000)} kB`);
  if (size > maxBytes) throw new Error(`${name}.png is larger than ${maxBytes} bytes`);
}
