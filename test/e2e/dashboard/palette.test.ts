import { beforeAll, expect, test } from 'vitest';
import { findViolations } from '../../support/dashboard/axe.ts';
import { useSignedIn } from '../../support/dashboard/dashboard-page.ts';
import { waitUntil } from '../../support/wait-until.ts';

const { page, open, create, complaints } = useSignedIn();
const palette = () => page().getByRole('dialog', { name: 'Commands' });
const options = () => palette().getByRole('option');

beforeAll(async () => {
  await create({
    original_url: 'https://example.com/spring-sale',
    custom_code: 'spring',
    title: 'Spring sale',
  });
});

async function openPalette(text: string): Promise<void> {
  await page().keyboard.press('ControlOrMeta+k');
  await page().keyboard.type(text);
}

test('a screen, a link and a job are found by their names and opened by Enter', async () => {
  await open();
  await openPalette('open analytics');
  await page().keyboard.press('Enter');
  await page().waitForURL('**/admin/analytics');

  await openPalette('spring sale');
  await options().filter({ hasText: 'spring' }).first().waitFor();
  await page().keyboard.press('Enter');
  await page().waitForURL('**/admin/links/spring');

  await openPalette('run');
  await options().filter({ hasText: 'Run flush-clicks' }).waitFor();
  expect((await options().allTextContents()).join()).not.toContain('rename-tag');
  await page().keyboard.press('Escape');

  await openPalette('run flush');
  await options().filter({ hasText: 'Run flush-clicks' }).waitFor();
  await page().keyboard.press('Enter');
  const finished = page().getByRole('region', { name: 'Messages' }).getByText('flush-clicks has finished');
  expect(await finished.textContent()).toContain('has finished');
});

test('arrow keys move through the options, and the focus stays in the field', async () => {
  await openPalette('open');
  const chosen = async () => await page().locator('[role=option][aria-selected=true]').textContent();
  const first = await chosen();
  await page().keyboard.press('ArrowDown');
  await waitUntil('another option is chosen', async () => (await chosen()) !== first);
  await page().keyboard.press('ArrowUp');
  await waitUntil('the first option is chosen', async () => (await chosen()) === first);
  expect(
    await page().evaluate('document.activeElement.role ?? document.activeElement.getAttribute("role")'),
  ).toBe('combobox');
  expect(await findViolations(page())).toEqual([]);
  await page().keyboard.press('Escape');
  await palette().waitFor({ state: 'detached' });
});

test('while another search runs and after it failed, links of the search before are not offered', async () => {
  let release!: () => void;
  const isReleased = new Promise<void>((resolve) => (release = resolve));
  await page().route('**/api/v1/urls?q=springs*', async (route) => {
    await isReleased;
    await route.fulfill({ status: 500, json: { detail: 'The search failed.' } });
  });
  await openPalette('spring');
  await options().filter({ hasText: 'Spring sale' }).waitFor();
  const asked = page().waitForRequest(/q=springs/);
  await page().keyboard.type('s');
  await asked;
  expect(await options().count()).toBe(0);
  expect(await palette().getByText('Nothing matches.').count()).toBe(0);
  release();
  await palette().getByText('The search failed.').waitFor();
  expect(await options().count()).toBe(0);
  await page().keyboard.press('Escape');
  await palette().waitFor({ state: 'detached' });
  await page().unroute('**/api/v1/urls?q=springs*');
});

test('a pasted URL goes into the field of Links, and nothing is created yet', async () => {
  await openPalette('example.org/new?a=1');
  await options().filter({ hasText: 'Shorten example.org/new?a=1' }).waitFor();
  await page().keyboard.press('Enter');
  await page().waitForURL('**/admin/');
  const field = page().locator('#create-field');
  await waitUntil('the field has the URL', async () => (await field.inputValue()) === 'example.org/new?a=1');
  await waitUntil(
    'the field has the focus',
    async () => (await page().evaluate('document.activeElement.id')) === 'create-field',
  );
});

test('no command causes a console error, except the failure that it provokes', () => {
  expect(complaints.filter((text) => !/status of 500/.test(text))).toEqual([]);
});
