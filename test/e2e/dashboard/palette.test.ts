import { beforeAll, expect, test } from 'vitest';
import { findViolations } from '../../support/dashboard/axe.ts';
import { useSignedIn } from '../../support/dashboard/dashboard-page.ts';
import { waitUntil } from '../../support/wait-until.ts';

const { page, open, create, complaints } = useSignedIn();
const options = () => page().getByRole('option');
const palette = () => page().getByRole('dialog', { name: 'Commands' });

beforeAll(async () => {
  await create({
    original_url: 'https://example.com/spring-sale',
    custom_code: 'spring',
    title: 'Spring sale',
  });
});

async function openPalette(text: string): Promise<void> {
  await page().keyboard.press('ControlOrMeta+k');
  await palette().waitFor();
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

test('no command causes a console error', () => {
  expect(complaints).toEqual([]);
});
