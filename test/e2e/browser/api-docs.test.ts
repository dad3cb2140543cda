import { beforeAll, expect, test } from 'vitest';
import { readOperations } from '../../fuzz/api/operations.ts';
import { useBrowserPage } from '../../support/http/browser-page.ts';
import { useWeb } from '../../support/http/web-app.ts';

const web = useWeb();
const { page, origins, complaints } = useBrowserPage({ viewport: { width: 1280, height: 1600 } });

beforeAll(async () => {
  await page().goto(`${web.baseUrl()}/docs`);
});

test('the page shows every operation of the OpenAPI document', async () => {
  const { body } = await web.client(null).get('/openapi.json');
  const operations = readOperations(body);
  await page().locator('.opblock').first().waitFor();
  const shown = await page()
    .locator('.opblock')
    .evaluateAll((blocks) => blocks.map(({ id }) => id));
  expect(shown).toHaveLength(operations.length);
  for (const { id } of operations) expect(shown.filter((one) => one.endsWith(`-${id}`))).toHaveLength(1);
});

test('an expanded operation shows its parameters and responses', async () => {
  const block = page().locator('[id$="-createUrl"]');
  await block.locator('.opblock-summary-control').click();
  for (const text of ['original_url', 'Code taken']) await block.getByText(text).first().waitFor();
  expect(await block.locator('.response-col_status').allTextContents()).toContain('409');
});

test('the page creates a short URL with an API key', async () => {
  await page().locator('.btn.authorize').click();
  await page().locator('.auth-container input').first().fill(web.apiKey());
  await page().locator('.auth-container .authorize[type=submit]').first().click();
  await page().locator('.btn-done').first().click();

  const block = page().locator('[id$="-createUrl"]');
  await block.locator('.try-out__btn').click();
  await block.locator('.body-param__text').fill('{"original_url": "https://example.com/from-the-page"}');
  await block.locator('.execute').click();
  await block.locator('.live-responses-table .response-col_status', { hasText: '201' }).waitFor();
  const urls = await web.database.db()('urls').where({ original_url: 'https://example.com/from-the-page' });
  expect(urls).toHaveLength(1);
});

test('the page sends no request to another host and causes no browser error', () => {
  expect([...origins].filter((origin) => origin !== 'null')).toEqual([web.baseUrl()]);
  expect(complaints).toEqual([]);
});
