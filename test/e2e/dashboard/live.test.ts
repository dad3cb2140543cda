import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { useSignedIn } from '../../support/dashboard/dashboard-page.ts';
import { readSlowness } from '../../support/processes/slowness.ts';
import { waitUntil } from '../../support/wait-until.ts';

const { browser, page, open, create, client, admin, baseUrl, complaints } = useSignedIn();
const promiseMs = 2_000;

/** Follows a short URL; resolves to when it was answered. */
async function visit(code: string): Promise<number> {
  await fetch(`${baseUrl()}/${code}`, { redirect: 'manual' });
  return performance.now();
}

test('a click is shown within two seconds', async () => {
  await create({ original_url: 'https://example.com/', custom_code: 'live-1' });
  await open('/live');
  await page().getByText('One stream serves all tabs').waitFor();
  const at = await visit('live-1');
  await page().locator('.live-events tbody tr', { hasText: 'live-1' }).first().waitFor();
  const elapsedMs = performance.now() - at;
  expect(elapsedMs).toBeLessThan(promiseMs * readSlowness());
});

test('a paused list holds events back, and shows them when it continues', async () => {
  await page().getByRole('button', { name: 'Pause' }).click();
  const count = await page().locator('.live-events tbody tr').count();
  await visit('live-1');
  await page().getByText('1 waiting').waitFor();
  expect(await page().locator('.live-events tbody tr').count()).toBe(count);
  await page().getByRole('button', { name: 'Resume' }).click();
  await waitUntil('it is shown', async () => (await page().locator('.live-events tbody tr').count()) > count);
});

test('the page of a link shows its clicks, also through an alias, and no others', async () => {
  await create({ original_url: 'https://example.com/', custom_code: 'live-2-old' });
  await client().patch('/api/v1/urls/live-2-old', { short_code: 'live-2', keep_old_code: true });
  const opened = page().waitForResponse(/clicks\/stream\?short_code=live-2$/);
  await open('/links/live-2');
  await opened;
  await visit('live-1');
  await visit('live-2-old');
  const rows = page().locator('.live-events tbody tr');
  await rows.filter({ hasText: 'live-2' }).first().waitFor();
  expect(await rows.filter({ hasText: 'live-1' }).count()).toBe(0);
});

test('seven tabs share one stream, and another tab takes over when the leading one closes', async () => {
  const context = await browser().newContext({ storageState: await page().context().storageState() });
  let streams = 0;
  context.on('request', (request) => {
    if (request.url().includes('/clicks/stream')) streams += 1;
  });
  const tabs: Page[] = [];
  for (let i = 0; i < 7; i += 1) {
    const tab = await context.newPage();
    await tab.goto(admin('/live'));
    await tab.getByText('One stream serves all tabs').waitFor();
    tabs.push(tab);
  }
  expect(streams).toBe(1);
  const shows = async (tab: Page, clicks: number) =>
    await waitUntil(
      'the click is shown',
      async () => (await tab.locator('.live-events tbody tr').count()) >= clicks,
    );
  await visit('live-1');
  for (const tab of tabs) await shows(tab, 1);

  await tabs[0]!.close();
  await waitUntil('another tab has the stream', () => streams === 2);
  // Clicks before the new stream is open are not shown.
  await waitUntil('a click arrives through the new stream', async () => {
    await visit('live-1');
    return (await tabs[1]!.locator('.live-events tbody tr').count()) > 1;
  });
  for (const tab of tabs.slice(1)) await shows(tab, 2);
  await context.close();
});

test('without Web Locks, as over plain HTTP, each tab shows a click once', async () => {
  const context = await browser().newContext({ storageState: await page().context().storageState() });
  await context.addInitScript('delete Navigator.prototype.locks');
  const tabs = [await context.newPage(), await context.newPage()];
  const opened = tabs.map(async (tab) => await tab.waitForResponse(/clicks\/stream/));
  for (const tab of tabs) await tab.goto(admin('/live'));
  await Promise.all(opened);
  await create({ original_url: 'https://example.com/', custom_code: 'live-2' });
  await visit('live-2');
  await visit('live-1');
  for (const tab of tabs) {
    const events = tab.locator('.live-events tbody tr');
    await events.filter({ hasText: 'live-1' }).first().waitFor();
    expect(await events.filter({ hasText: 'live-2' }).count()).toBe(1);
  }
  await context.close();
});

test('no tab logs a console error', () => {
  expect(complaints).toEqual([]);
});
