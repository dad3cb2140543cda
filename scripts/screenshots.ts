import { mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { openBrowser } from '../test/support/http/browser.ts';
import { readEnvFile } from './local/env-file.ts';

/** npm run screenshots: takes the screenshots in docs/images from a service that `npm run local` runs in another shell.
 *  Creates an example short URL there and fills the key pool. */
const root = fileURLToPath(new URL('..', import.meta.url));
const folder = path.join(root, 'docs/images');
const { BASE_URL, API_KEY, BULL_BOARD_USER, BULL_BOARD_PASSWORD } = readEnvFile(
  path.resolve(root, process.env['LINKMILL_LOCAL_DIR'] || '.local', 'env'),
);
/** A README loads every image. */
const maxBytes = 150_000;

mkdirSync(folder, { recursive: true });
const browser = await openBrowser();
try {
  const context = await browser.newContext({
    viewport: { width: 1_100, height: 700 },
    httpCredentials: { username: BULL_BOARD_USER!, password: BULL_BOARD_PASSWORD! },
  });
  const page = await context.newPage();
  await takePreviewPage(page);
  await takeApiDocs(page);
  await takeBullBoard(page);
} finally {
  await browser.close();
}

async function takePreviewPage(page: Page): Promise<void> {
  const created = await post('/api/v1/urls', {
    original_url: 'https://example.com/spring-sale?utm_source=newsletter',
    custom_code: 'spring',
    title: 'Spring sale',
    expires_in_hours: 720,
  });
  // 409: an earlier run has created it.
  if (!created.ok && created.status !== 409) throw new Error(`creating a short URL: ${created.status}`);
  await page.setViewportSize({ width: 1_100, height: 520 });
  await page.goto(`${BASE_URL}/spring+`);
  await save(page, 'preview-page');
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
  await post('/api/v1/jobs/replenish-keys', { target: 1_500_000 });
  await page.goto(`${BASE_URL}/admin/queues/queue/replenish-keys`);
  const bar = page.getByRole('main').getByRole('progressbar').first();
  const deadline = Date.now() + 60_000;
  for (let value = 0; value < 20 || value === 100; value = Number(await bar.getAttribute('aria-valuenow'))) {
    if (Date.now() > deadline)
      throw new Error('the job was not seen while it ran: delete .local and run it again');
  }
  await save(page, 'bull-board');
}

async function post(route: string, body: object): Promise<Response> {
  return await fetch(`${BASE_URL}${route}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': API_KEY! },
    body: JSON.stringify(body),
  });
}

async function save(page: Page, name: string): Promise<void> {
  const file = path.join(folder, `${name}.png`);
  await page.screenshot({ path: file });
  const { size } = statSync(file);
  console.log(`${path.relative(root, file)}: ${Math.round(size / 1_000)} kB`);
  if (size > maxBytes) throw new Error(`${name}.png is larger than ${maxBytes} bytes`);
}
