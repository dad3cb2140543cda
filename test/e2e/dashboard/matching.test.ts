import { beforeAll, expect, test } from 'vitest';
import { useSignedIn } from '../../support/dashboard/dashboard-page.ts';
import { insertUrls } from '../../support/urls/urls.ts';
import { waitUntil } from '../../support/wait-until.ts';

const { page, open, create, client, complaints, database } = useSignedIn();
const bulk = () => page().getByRole('region', { name: 'Selected links' });
const count = (text: string) => page().locator('.list-head').getByText(text, { exact: true });
const message = (text: string) =>
  page().getByRole('region', { name: 'Messages' }).getByText(text, { exact: true });
const countOf = async (query: string) =>
  (await client().get(`/api/v1/url-count?${query}`)).body['count'] as number;

beforeAll(async () => {
  const urls = Array.from({ length: 60 }, (_, i) => ({
    original_url: `https://example.com/${i}`,
    custom_code: `many-${i}`,
    tags: ['many'],
  }));
  await create(...urls, { original_url: 'https://example.com/other', custom_code: 'other' });
});

async function selectMatching(text: string): Promise<void> {
  await page().getByLabel('Select this page').check();
  await bulk().getByRole('button', { name: text }).click();
}

test('the list shows how many links match', async () => {
  await open();
  await count('61 links').waitFor();
  await page().getByLabel('Search links').fill('many-1');
  await count('11 links').waitFor();
  await open('/?tag=many');
  await count('60 links').waitFor();
  expect(await page().locator('.row').count()).toBe(50);
});

test('a change of the filter ends the selection of all that match', async () => {
  await selectMatching('Select all 60 that match');
  await bulk().getByText('All 60 that match are selected').waitFor();
  await page().getByRole('button', { name: 'Clear filters' }).click();
  await bulk().waitFor({ state: 'detached' });
  expect(await page().locator('.row input:checked').count()).toBe(0);
});

test('without one of all that match, the others of the page stay selected, and no more', async () => {
  await open('/?tag=many');
  const row = page().locator('.row').nth(1);
  for (const untick of [
    async () => await row.getByRole('checkbox').uncheck(),
    async () => {
      await row.locator('a.code').focus();
      await page().keyboard.press('x');
    },
  ]) {
    await selectMatching('Select all 60 that match');
    await untick();
    await bulk().getByText('49 selected').waitFor();
    expect(await row.getByRole('checkbox').isChecked()).toBe(false);
    await page().getByLabel('Clear selection').click();
  }
});

test('all that match are disabled, also those of other pages, and no others', async () => {
  await open('/?tag=many');
  await selectMatching('Select all 60 that match');
  await bulk().getByRole('button', { name: 'Disable' }).click();
  await message('60 links changed').waitFor();
  expect([await countOf('is_active=false'), await countOf('is_active=true')]).toEqual([60, 1]);
});

test('a delete of all that match spares links that were created after the count', async () => {
  await open('/?tag=many');
  await selectMatching('Select all 60 that match');
  await create({ original_url: 'https://example.com/late', custom_code: 'many-late', tags: ['many'] });
  await bulk().getByRole('button', { name: 'Delete' }).click();
  const dialog = page().getByRole('dialog', { name: 'Delete all 60 links that match?' });
  await dialog.getByRole('button', { name: 'Delete' }).click();
  await message('60 links deleted.').waitFor();
  expect([await countOf('tag=many'), await countOf('state=deleted')]).toEqual([1, 60]);
  await page().getByRole('button', { name: 'Undo' }).click();
  await message('60 links restored').waitFor();
  await waitUntil('all are back', async () => (await countOf('tag=many')) === 61);
  expect(complaints).toEqual([]);
});

test('beyond 10,000 the number is a lower bound', async () => {
  await insertUrls(database.db(), { begin: 'huge-', count: 10_000, areClicked: false });
  await open();
  await count('10,000+ links').waitFor();
  await page().getByLabel('Select this page').check();
  await bulk().getByRole('button', { name: 'Select all 10,000+ that match' }).waitFor();
  expect(await page().locator('.row').count()).toBe(50);
});
