import { beforeAll, expect, test } from 'vitest';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import { findViolations } from '../../support/dashboard/axe.ts';
import { signIn, useSignedIn } from '../../support/dashboard/dashboard-page.ts';
import { waitUntil } from '../../support/wait-until.ts';

const { page, open, create, client, complaints, admin, database } = useSignedIn({ RETENTION_DAYS: '10' });
const row = (code: string) => page().locator('tbody tr', { hasText: code });
const statusOf = async (code: string) => (await client().get(`/${code}`)).status;

beforeAll(async () => {
  const codes = ['old-one', 'old-two', 'old-three'];
  await create(...codes.map((custom_code) => ({ original_url: 'https://example.com/old', custom_code })));
  for (const code of codes) await client().delete(`/api/v1/urls/${code}`);
});

test('the trash lists deleted links with the time that is left, the latest first', async () => {
  await open();
  await page().getByRole('link', { name: 'Trash' }).click();
  await row('old-one').waitFor();
  expect(await page().locator('tbody td.code').allTextContents()).toEqual([
    'old-three',
    'old-two',
    'old-one',
  ]);
  expect(await row('old-one').textContent()).toContain('in 9 days');
});

test('a link is restored by keyboard, redirects again, and the focus goes to the heading', async () => {
  await page().getByRole('button', { name: 'Restore: old-one' }).press('Enter');
  await row('old-one').waitFor({ state: 'detached' });
  expect(await statusOf('old-one')).toBe(301);
  expect(await page().evaluate('document.activeElement.tagName')).toBe('H1');
});

test('a link is deleted permanently after a confirmation', async () => {
  await page().getByRole('button', { name: 'Delete permanently: old-two' }).click();
  const dialog = page().getByRole('dialog', { name: 'Delete old-two permanently?' });
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  expect(await row('old-two').count()).toBe(1);
  await page().getByRole('button', { name: 'Delete permanently: old-two' }).click();
  await dialog.getByRole('button', { name: 'Delete permanently' }).click();
  await row('old-two').waitFor({ state: 'detached' });
  expect(await client().post('/api/v1/urls/old-two/restore')).toBeProblem('not-found');
});

test('the trash has no accessibility violation, also on a narrow page', async () => {
  for (const width of [1280, 320]) {
    await page().setViewportSize({ width, height: 800 });
    expect(await findViolations(page())).toEqual([]);
    expect(await page().evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0);
  }
  await page().setViewportSize({ width: 1280, height: 800 });
});

test('a link that is deleted on Links comes into the trash, and an empty trash says so', async () => {
  await open();
  await page().locator('.row[data-code="old-one"]').waitFor();
  await client().delete('/api/v1/urls/old-one');
  await open('/trash');
  await row('old-one').waitFor();
  for (const code of ['old-one', 'old-three']) await client().delete(`/api/v1/urls/${code}?purge=true`);
  await open('/trash');
  await page().getByText('The trash is empty').waitFor();
  await waitUntil('no console error', () => complaints.length === 0);
  expect(complaints).toEqual([]);
});

test('a key that has not created a link can restore it, but not delete it permanently', async () => {
  await create({ original_url: 'https://example.com/old', custom_code: 'of-another' });
  await client().delete('/api/v1/urls/of-another');
  const { key } = await createApiKeys(database.db()).create('other', {
    scopes: ['urls:read', 'urls:write'],
  });
  await page().context().clearCookies();
  await signIn(page(), admin('/trash'), key);
  await page().getByRole('button', { name: 'Restore: of-another' }).waitFor();
  expect(
    await page()
      .getByRole('button', { name: /Delete permanently/ })
      .count(),
  ).toBe(0);
});
