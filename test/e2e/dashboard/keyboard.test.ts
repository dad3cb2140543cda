import { beforeAll, expect, test } from 'vitest';
import { useSignedIn } from '../../support/dashboard/dashboard-page.ts';
import { waitUntil } from '../../support/wait-until.ts';

const { page, open, create, copied, client, baseUrl, complaints } = useSignedIn();
const press = async (...keys: string[]) => {
  for (const key of keys) await page().keyboard.press(key);
};
const focused = async () =>
  await page().evaluate<string>(
    `document.activeElement?.closest('[data-code]')?.dataset.code ?? document.activeElement?.id`,
  );

beforeAll(async () => {
  // One by one: the list is in order of creation.
  for (const code of ['first', 'second', 'third'])
    await create({ original_url: `https://example.com/${code}`, custom_code: code });
});

test('a link is created, found, opened and edited by keyboard alone', async () => {
  await open();
  await press('c');
  expect(await focused()).toBe('create-field');
  await page().keyboard.type('https://example.com/by-keyboard');
  await press('Enter');
  await page().getByText('Created and copied').waitFor();
  expect(await copied()).toContain(baseUrl());

  await press('Escape', '/');
  expect(await focused()).toBe('search-field');
  await page().keyboard.type('second');
  await page().locator('.row[data-code="third"]').waitFor({ state: 'detached' });
  await press('Escape', 'j', 'Enter');
  await page().waitForURL('**/admin/links/second');
  await page().locator('.settings').waitFor();
  // A change of the screen moves the focus to its heading.
  expect(await page().evaluate<string>('document.activeElement.tagName')).toBe('H1');

  await press('e', 'Enter');
  await page().keyboard.press('ControlOrMeta+A');
  await page().keyboard.type('https://example.com/edited');
  await press('Enter');
  await waitUntil(
    'it is edited',
    async () =>
      (await client().get('/api/v1/urls/second')).body['original_url'] === 'https://example.com/edited',
  );
  // Until then, the input has the keys.
  await page().locator('.setting-form').waitFor({ state: 'detached' });
});

test('rows are walked, copied, selected and deleted by keys, and Undo is reachable', async () => {
  await press('g', 'l');
  await page().locator('.row[data-code="first"]').waitFor();
  await press('j', 'j');
  expect(await focused()).toBe('third');
  await press('j', 'k', 'y');
  expect(await copied()).toBe(`${baseUrl()}/third`);
  await press('x');
  await page().getByText('1 selected').waitFor();
  await press('Escape', '#');
  await page().locator('.row[data-code="third"]').waitFor({ state: 'detached' });
  const undo = page().getByRole('button', { name: 'Undo' });
  await undo.focus();
  await press('Enter');
  await page().locator('.row[data-code="third"]').waitFor();
});

test('a dialog keeps the focus, closes with Escape and returns the focus', async () => {
  await press('j', 'q');
  const before = await focused();
  const dialog = page().getByRole('dialog');
  await dialog.waitFor();
  for (let i = 0; i < 12; i += 1) {
    await press('Tab');
    const isInside = await page().evaluate<boolean>(
      `document.activeElement === document.body || document.activeElement.closest('dialog') !== null`,
    );
    expect(isInside).toBe(true);
  }
  await press('Escape');
  await dialog.waitFor({ state: 'detached' });
  expect(await focused()).not.toBe(undefined);
  expect(before).not.toBe('third');
});

test('single letters do nothing once they are turned off', async () => {
  await press('?');
  await page().getByRole('switch', { name: 'Single letters are shortcuts' }).click();
  await press('Escape');
  await page().getByRole('dialog').waitFor({ state: 'detached' });
  await page().evaluate('document.activeElement.blur()');
  await press('c');
  expect(await focused()).not.toBe('create-field');
  await page().evaluate('localStorage.clear()');
});

test('no key causes a console error', () => {
  expect(complaints).toEqual([]);
});
