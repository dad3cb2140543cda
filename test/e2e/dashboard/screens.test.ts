import { expect, test } from 'vitest';
import { useSignedIn } from '../../support/dashboard/dashboard-page.ts';
import { waitUntil } from '../../support/wait-until.ts';

const { page, open, create, client, complaints } = useSignedIn();

test('an import goes from a dropped file to its result, and names the rows that failed', async () => {
  await open('/transfers');
  const rows = Array.from({ length: 30 }, (_, i) => `imported-${i},https://example.com/imported/${i}`);
  const content = ['short_code,original_url', ...rows, 'imported-bad,javascript:alert(1)'].join('\n');
  const file = { name: 'links.csv', mimeType: 'text/csv', buffer: Buffer.from(content) };
  await page().locator('input[type=file]').setInputFiles(file);
  await page().getByText('links.csv').waitFor();
  await page().getByText('31 rows, 1 of them have problems').waitFor();
  await page().getByText('shortcode → short_code, originalurl → original_url').waitFor();
  await page().getByText('https://example.com/imported/0').waitFor();
  await page().getByText('32: original_url').waitFor();
  expect((await client().get('/api/v1/urls/imported-0')).status).toBe(404);
  await page().getByRole('button', { name: 'Start import' }).click();
  await page().getByText('30 created').waitFor();
  await page().getByRole('link', { name: '1 rows failed' }).waitFor();
  expect((await client().get('/api/v1/urls/imported-7')).status).toBe(200);
});

test('an export is created and downloaded', async () => {
  await page().getByRole('button', { name: 'Start export' }).click();
  const [download] = await Promise.all([
    page().waitForEvent('download'),
    page().getByRole('link', { name: 'Download' }).click(),
  ]);
  expect(download.suggestedFilename()).toMatch(/^urls-\d+\.csv$/);
});

test('an API key is created, shown once, rotated and revoked', async () => {
  await open('/keys');
  await page().getByRole('button', { name: 'New key' }).click();
  const dialog = page().getByRole('dialog');
  await dialog.getByLabel('Name').fill('for a script');
  await dialog.getByRole('button', { name: 'New key' }).click();
  const secret = (await dialog.locator('.secret').textContent())!.trim();
  expect(
    (await fetch(`${new URL(page().url()).origin}/api/v1/urls`, { headers: { 'x-api-key': secret } })).status,
  ).toBe(200);
  await dialog.getByRole('button', { name: 'Done' }).click();
  const row = page().locator('tr', { hasText: 'for a script' });
  await row.getByText('Read links').waitFor();
  await row.getByRole('button', { name: 'Rotate' }).click();
  await dialog.getByRole('button', { name: 'Rotate' }).click();
  await dialog.locator('.secret').waitFor();
  await dialog.getByRole('button', { name: 'Done' }).click();
  await row.getByRole('button', { name: 'Revoke' }).click();
  await dialog.getByRole('button', { name: 'Revoke' }).click();
  await row.getByText('revoked', { exact: true }).waitFor();
});

test('sessions are listed, and another one is signed out', async () => {
  const table = page().locator('section', { has: page().getByRole('heading', { name: 'Sessions' }) });
  await table.getByText('this session').waitFor();
  expect(await table.locator('tbody tr').count()).toBe(1);
});

test('reports are closed with a measure, and hosts are blocked and unblocked', async () => {
  await create({ original_url: 'https://bad.example.com/', custom_code: 'reported' });
  await client().post('/report', {
    short_code: 'reported',
    reason: 'phishing',
    comment: 'It asks for a password',
  });
  await open('/reports');
  await page().getByText('It asks for a password').waitFor();
  await page().getByRole('button', { name: 'Disable link' }).click();
  await page().getByText('No open report').waitFor();
  expect((await client().get('/api/v1/urls/reported')).body['is_active']).toBe(false);

  await page().getByLabel('Host').fill('blocked.example.net');
  await page().getByRole('button', { name: 'Block', exact: true }).click();
  await page().getByRole('button', { name: 'Unblock blocked.example.net' }).click();
  await page().getByText('No host is blocked.').waitFor();
});

test('operations tell that counting keeps up, and run a job', async () => {
  await open('/operations');
  await page().getByText('Counting keeps up').waitFor();
  await page().getByText('PostgreSQL', { exact: true }).waitFor();
  await page().getByRole('button', { name: 'Replenish', exact: true }).click();
  await page().getByText('replenish-keys has finished').first().waitFor();
  const { body } = await client().get('/health');
  expect(body['kgs_pool_size']).toBeGreaterThan(0);
});

test('tags lead to the links that have them', async () => {
  await create({ original_url: 'https://example.com/tagged', custom_code: 'tagged', tags: ['autumn'] });
  await open('/tags');
  await page().getByRole('link', { name: 'autumn' }).click();
  await waitUntil('only it is listed', async () => (await page().locator('.row').count()) === 1);
  expect(page().url()).toContain('tag=autumn');
});

test('no screen logs a console error', () => {
  expect(complaints).toEqual([]);
});
