import { beforeAll, expect, test } from 'vitest';
import { useSignedIn } from '../../support/dashboard/dashboard-page.ts';
import { waitUntil } from '../../support/wait-until.ts';

const { page, open, create, baseUrl, client, complaints } = useSignedIn();
const read = async (code: string) => (await client().get(`/api/v1/urls/${code}`)).body;
const change = async (name: string, value: string) => {
  await page()
    .getByRole('button', { name: `Change: ${name}` })
    .click();
  await page().getByLabel(name, { exact: true }).fill(value);
  await page().keyboard.press('Enter');
};

beforeAll(async () => {
  await create({ original_url: 'https://example.com/edit', custom_code: 'edit', title: 'Old title' });
  for (let i = 0; i < 3; i += 1) await fetch(`${baseUrl()}/edit`, { redirect: 'manual' });
  await waitUntil('clicks are counted', async () => (await read('edit'))['click_count'] === 3);
});

test('settings are changed in place, and refusals are shown beside them', async () => {
  await open('/links/edit');
  await change('Title', 'New title');
  await page().locator('.setting-value', { hasText: 'New title' }).waitFor();
  expect((await read('edit'))['title']).toBe('New title');

  await change('Fallback URL', 'ftp://example.com/');
  await page().locator('.setting .is-error').waitFor();
  await page().keyboard.press('Escape');
  expect((await read('edit'))['fallback_url']).toBeNull();

  await page().getByLabel('Enabled').click();
  await waitUntil('it is disabled', async () => (await read('edit'))['is_active'] === false);
  await page().getByLabel('Enabled').click();
  await waitUntil('it is enabled', async () => (await read('edit'))['is_active'] === true);
});

test('a change that collides with another one asks whose value is kept', async () => {
  await open('/links/edit');
  await client().patch('/api/v1/urls/edit', { title: 'Their title' });
  await change('Title', 'Your title');
  const dialog = page().getByRole('dialog');
  await dialog.getByText('Their title').waitFor();
  await dialog.getByText('Your title').waitFor();
  expect((await read('edit'))['title']).toBe('Their title');
  await dialog.getByRole('button', { name: 'Use yours' }).click();
  await waitUntil('yours is kept', async () => (await read('edit'))['title'] === 'Your title');

  await client().patch('/api/v1/urls/edit', { title: 'Their second title' });
  await change('Title', 'Your second title');
  await dialog.getByRole('button', { name: 'Keep theirs' }).click();
  await page().locator('.setting-value', { hasText: 'Their second title' }).waitFor();
  expect((await read('edit'))['title']).toBe('Their second title');
});

test('a new short code becomes the address of the screen, and the old one is shown as alias', async () => {
  await change('Short code', 'edited');
  await page().waitForURL('**/admin/links/edited');
  await page().getByText('(edit)').waitFor();
  expect(await read('edited')).toMatchObject({ short_code: 'edited', aliases: ['edit'] });
});

test('the chart has the clicks, by arrow keys and as a table', async () => {
  await open('/links/edited?days=1');
  const chart = page().getByRole('slider');
  await chart.focus();
  await page().keyboard.press('End');
  expect(await chart.getAttribute('aria-valuetext')).toContain('3 clicks');
  const cells = await page().locator('.chart tbody td.number').allTextContents();
  expect(cells.map(Number).reduce((sum, value) => sum + value, 0)).toBe(3);
});

test('a row of a panel filters every number, and the address holds the filter', async () => {
  const panel = page().locator('.panel', { has: page().getByRole('heading', { name: 'Countries' }) });
  await panel.getByRole('button', { name: /Unknown/ }).click();
  expect(page().url()).toContain('country=-');
  await page()
    .getByRole('button', { name: /Remove the filter/ })
    .click();
  expect(page().url()).not.toContain('country');
});

test('the QR code has a verdict on its contrast, and downloads as SVG and PNG', async () => {
  await page().getByRole('button', { name: 'QR code' }).click();
  const dialog = page().getByRole('dialog');
  const image = dialog.getByRole('img');
  await waitUntil('it is drawn', async () =>
    image.evaluate((element) => (element as unknown as { naturalWidth: number }).naturalWidth > 0),
  );
  await dialog.getByText('scanners can read it').waitFor();
  await dialog.getByLabel('Modules', { exact: true }).fill('#eeeeee');
  await dialog.getByText('many scanners fail').waitFor();
  const [download] = await Promise.all([
    page().waitForEvent('download'),
    dialog.getByRole('link', { name: 'PNG' }).click(),
  ]);
  expect(download.suggestedFilename()).toBe('qr-edited.png');
  await page().keyboard.press('Escape');
});

test('no action logs a console error, except the refusals that it provokes', () => {
  expect(complaints.filter((text) => !/status of (412|422)/.test(text))).toEqual([]);
});
