import type { Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { findViolations } from '../../support/dashboard/axe.ts';
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

test('the number of links is shown beside an invalid cursor', async () => {
  await open('/?cursor=invalid');
  await page().getByRole('alert').waitFor();
  await count('61 links').waitFor();
  expect(await page().locator('.row').count()).toBe(0);
  // The console shows the rejected request.
  complaints.length = 0;
});

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

test('a view is saved, opened and removed with the keyboard, and stays after a reload', async () => {
  const saved = page().getByRole('list', { name: 'Saved views' });
  const view = (name: string) => saved.getByRole('link', { name, exact: true });
  const save = page().getByRole('button', { name: 'Save view' });
  const focused = async () => await page().evaluate<string>('document.activeElement.textContent');
  await open('/?unknown=x');
  await page().locator('.filters').waitFor();
  expect([await save.count(), await saved.count()]).toEqual([0, 0]);
  await open('/?tag=many&sort=created&unknown=x');
  await save.press('Enter');
  const name = page().getByRole('dialog', { name: 'Save view' }).getByLabel('Name');
  expect(await name.inputValue()).toBe('many');
  await name.fill('Old <b>ones</b>');
  await name.press('Enter');
  await view('Old <b>ones</b>').waitFor();
  expect(await view('Old <b>ones</b>').getAttribute('aria-current')).toBe('page');
  expect(await save.count()).toBe(0);
  expect(await focused()).not.toContain('Cancel');

  await open('/?q=other');
  await save.press('Enter');
  await name.press('Enter');
  await view('other').waitFor();
  await page().reload();
  await view('Old <b>ones</b>').press('Enter');
  await count('60 links').waitFor();
  expect(new URL(page().url()).search).toBe('?tag=many&sort=created');

  await page().keyboard.press('ControlOrMeta+k');
  await page().keyboard.type('view other');
  await page().getByRole('option', { name: 'View other', selected: true }).waitFor();
  await page().keyboard.press('Enter');
  await page().waitForURL('**/admin/?q=other');
  await count('1 link').waitFor();

  await saved.getByRole('button', { name: 'Remove view other' }).press('Enter');
  await view('other').waitFor({ state: 'detached' });
  expect(await page().evaluate('document.activeElement.id')).toBe('search-field');
  await page().getByRole('region', { name: 'Messages' }).getByRole('button', { name: 'Undo' }).press('Enter');
  await view('other').waitFor();
  expect(await findViolations(page())).toEqual([]);
});

test('a view of the same name replaces the other one, and another tab shows it', async () => {
  const opened = page().waitForEvent('popup');
  await page().evaluate('void open(location.href)');
  const tab = await opened;
  const views = (of: Page) => of.getByRole('list', { name: 'Saved views' }).getByRole('link');
  await views(tab).first().waitFor();
  await open('/?q=many-1');
  await page().getByRole('button', { name: 'Save view' }).click();
  await page().getByRole('dialog').getByLabel('Name').fill('other');
  await page().keyboard.press('Enter');
  await waitUntil('the other tab has the view', async () =>
    (await views(tab).last().getAttribute('href'))!.endsWith('?q=many-1'),
  );
  expect(await views(page()).allTextContents()).toEqual(['Old <b>ones</b>', 'other']);
  await tab.close();
});

test('views that another program has damaged are left out', async () => {
  for (const [text, names] of [
    ['{', []],
    ['{"name": "x"}', []],
    ['[null, 1, {"name": 1, "query": ""}, {"name": "Kept", "query": "tag=many"}]', ['Kept']],
  ] as const) {
    await page().evaluate(`localStorage.setItem('linkmill.views', ${JSON.stringify(text)})`);
    await open('/?tag=many');
    await page().locator('.filters').waitFor();
    const links = page().getByRole('list', { name: 'Saved views' }).getByRole('link');
    expect(await links.allTextContents()).toEqual(names);
  }
  await page().evaluate('localStorage.clear()');
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
