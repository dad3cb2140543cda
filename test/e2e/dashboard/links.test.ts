import type { Request } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { useSignedIn } from '../../support/dashboard/dashboard-page.ts';
import { waitUntil } from '../../support/wait-until.ts';

const { page, open, create, copied, baseUrl, client, origins, complaints } = useSignedIn();
const row = (code: string) => page().locator(`.row[data-code="${code}"]`);
const field = () => page().getByLabel('Long URLs');

beforeAll(async () => {
  await create(
    { original_url: 'https://example.com/alpha', custom_code: 'alpha', title: 'Alpha page', tags: ['docs'] },
    { original_url: 'https://example.org/beta', custom_code: 'beta-1', tags: ['news'] },
    { original_url: 'https://example.org/gamma', custom_code: 'gamma', is_active: false },
  );
});

test('a pasted URL becomes a short URL that is copied and redirects', async () => {
  await open();
  await field().fill('https://example.com/pasted');
  await field().press('Enter');
  await page().getByText('Created and copied').waitFor();
  const shortUrl = await copied();
  expect(shortUrl).toMatch(new RegExp(`^${baseUrl()}/\\w+$`));
  const { status, headers } = await fetch(shortUrl, { redirect: 'manual' });
  expect(status).toBe(301);
  expect(headers.get('location')).toBe('https://example.com/pasted');
  await row(shortUrl.split('/').at(-1)!).waitFor();
});

test('the same URL again shows the existing short URL', async () => {
  const before = await copied();
  await field().fill('https://example.com/pasted');
  await page().getByRole('button', { name: 'Shorten', exact: true }).click();
  await page().getByText('This link exists already').waitFor();
  expect(await copied()).toBe(before);
});

test('a short URL that the browser did not copy is not said to be copied', async () => {
  await open();
  await page().evaluate(`{
    navigator.clipboard.writeText = () => Promise.reject(new Error('not allowed'));
    document.execCommand = () => false;
  }`);
  await field().fill('https://example.com/not-copied');
  await field().press('Enter');
  const note = page().getByRole('region', { name: 'Created', exact: true });
  await note.waitFor();
  expect(await note.locator('header').innerText()).toBe('Created');
  const messages = page().getByRole('region', { name: 'Messages' });
  await messages.getByText('The browser did not allow copying.').waitFor();
  await open();
});

test('many lines create many short URLs, and invalid lines stay in the field with a reason', async () => {
  await field().fill('https://example.com/1\nhttps://example.com/2\njavascript:alert(1)');
  await page().getByRole('button', { name: 'Shorten 3' }).click();
  await page().getByText('2 links created').waitFor();
  await page().getByText('1 URL failed').waitFor();
  expect((await copied()).split('\n')).toHaveLength(2);
  expect(await field().inputValue()).toBe('javascript:alert(1)');
  await field().fill('');
});

test('a taken custom code offers free ones, and nothing that was typed is lost', async () => {
  await field().fill('https://example.com/other');
  await page().getByLabel('Custom code').fill('alpha');
  await page().getByRole('button', { name: 'Shorten', exact: true }).click();
  await page().getByText('“alpha” is taken.').waitFor();
  expect(await field().inputValue()).toBe('https://example.com/other');
  const free = page().locator('.create-error button');
  await free.first().waitFor();
  expect(await free.allTextContents()).toEqual(['alpha-2', 'alpha-3', 'alpha-4']);
  await free.nth(1).press('Enter');
  expect(await page().getByLabel('Custom code').inputValue()).toBe('alpha-3');
  await page().keyboard.press('Enter');
  await row('alpha-3').waitFor();
  expect((await client().get('/api/v1/urls/alpha-3')).body['original_url']).toBe('https://example.com/other');
  await client().delete('/api/v1/urls/alpha-3?purge=true');
});

test('the custom code of a deleted link is named, and the link can be restored', async () => {
  await create({ original_url: 'https://example.com/thrown-away', custom_code: 'thrown' });
  await client().delete('/api/v1/urls/thrown');
  await open();
  await field().fill('https://example.com/other');
  await page().getByLabel('Custom code').fill('thrown');
  await page().getByRole('button', { name: 'Shorten', exact: true }).click();
  await page().getByText('“thrown” belongs to a deleted link.').waitFor();
  await page().getByText('thrown-2').waitFor();
  await page().getByRole('button', { name: 'Restore the deleted link' }).click();
  await row('thrown').waitFor();
  expect((await client().get('/thrown')).status).toBe(301);
  await client().delete('/api/v1/urls/thrown?purge=true');
  await field().fill('');
  await page().getByLabel('Custom code').fill('');
  await open();
});

test('search and filters are in the address, and a reload keeps them', async () => {
  await page().getByLabel('Search links').fill('alpha');
  await row('beta-1').waitFor({ state: 'detached' });
  await row('alpha').waitFor();
  expect(page().url()).toContain('?q=alpha');
  await page().reload();
  await row('alpha').waitFor();
  expect(await page().locator('.row').count()).toBe(1);

  await page().getByRole('button', { name: 'Clear filters' }).click();
  await page().getByLabel('State').selectOption('disabled');
  await row('gamma').waitFor();
  await row('alpha').waitFor({ state: 'detached' });
  expect(page().url()).toContain('state=disabled');
  await page().goBack();
  await row('alpha').waitFor();
});

test('tags and hosts are loaded when a filter is used, not before the rows', async () => {
  const requests: string[] = [];
  const onRequest = (request: Request) => requests.push(new URL(request.url()).pathname);
  page().on('request', onRequest);
  await open();
  await row('alpha').waitFor();
  expect(requests).toContain('/api/v1/urls');
  expect(requests).not.toContain('/api/v1/tags');
  expect(requests).not.toContain('/api/v1/hosts');
  page().off('request', onRequest);

  const filter = (name: string) => page().locator('.choices').getByLabel(name);
  await filter('Tag').focus();
  await filter('Tag').selectOption('news');
  await row('alpha').waitFor({ state: 'detached' });
  await row('beta-1').waitFor();
  await filter('Host').selectOption('example.com');
  await row('beta-1').waitFor({ state: 'detached' });
});

test('each link shows its clicks of the last 30 days', async () => {
  const visit = async () => await fetch(`${baseUrl()}/alpha`, { redirect: 'manual' });
  await Promise.all([visit(), visit(), visit()]);
  await waitUntil('the clicks are counted', async () => {
    const { body } = await client().post('/api/v1/analytics/urls', { short_codes: ['alpha'] });
    return (body['items'] as { clicks: number[] }[])[0]?.clicks.at(-1) === 3;
  });
  await open();
  await row('alpha').getByRole('img', { name: '3 in the last 30 days' }).waitFor();
  await row('beta-1').getByRole('img', { name: '0 in the last 30 days' }).waitFor();
});

test('a deleted link disappears, and Undo restores it', async () => {
  await open();
  await row('beta-1').getByRole('button', { name: 'Delete link' }).click();
  await row('beta-1').waitFor({ state: 'detached' });
  expect((await client().get('/api/v1/urls/beta-1')).status).toBe(404);
  await page().getByRole('button', { name: 'Undo' }).click();
  await row('beta-1').waitFor();
  expect((await client().get('/api/v1/urls/beta-1')).status).toBe(200);
});

test('selected links are disabled and deleted together', async () => {
  await row('alpha').getByRole('checkbox').check();
  await row('beta-1').getByRole('checkbox').check();
  await page().getByText('2 selected').waitFor();
  await page().getByRole('button', { name: 'Disable', exact: true }).click();
  await row('alpha').getByText('disabled').waitFor();
  const isActive = async (code: string) => (await client().get(`/api/v1/urls/${code}`)).body['is_active'];
  expect([await isActive('alpha'), await isActive('beta-1')]).toEqual([false, false]);
  await page().getByRole('button', { name: 'Enable', exact: true }).click();
  await waitUntil('both are enabled', async () => (await isActive('alpha')) && (await isActive('beta-1')));
  await page().locator('.bulk').getByRole('button', { name: 'Delete' }).click();
  await row('alpha').waitFor({ state: 'detached' });
  await page().getByRole('button', { name: 'Undo' }).click();
  await row('alpha').waitFor();
});

test('the QR codes of selected links are on one sheet', async () => {
  await open();
  await row('alpha').getByRole('checkbox').check();
  await row('beta-1').getByRole('checkbox').check();
  await page().locator('.bulk').getByRole('link', { name: 'QR codes' }).click();
  const codes = page().locator('.qr-sheet li');
  await codes.nth(1).waitFor();
  await waitUntil(
    'both are loaded',
    async () =>
      await page().evaluate<boolean>(
        `[...document.querySelectorAll('.qr-sheet img')].every(({ naturalWidth }) => naturalWidth > 0)`,
      ),
  );
  const host = baseUrl().replace('http://', '');
  expect(await codes.allInnerTexts()).toEqual([`${host}/alpha`, `${host}/beta-1`]);
  await page().emulateMedia({ media: 'print' });
  expect(await page().locator('.side').isVisible()).toBe(false);
  await page().emulateMedia({ media: 'screen' });
});

test('hostile texts of a link are shown as text', async () => {
  const title = `<img src=x onerror="document.title='hacked'">\u202Egnp.exe`;
  await create({ original_url: 'https://example.com/hostile', custom_code: 'hostile', title });
  await open();
  const shown = await row('hostile').locator('.row-title').textContent();
  expect(shown).toBe(title.replace('\u202E', ''));
  expect(await page().title()).not.toBe('hacked');
});

test('/admin/?url= fills the field and creates nothing', async () => {
  const count = async () =>
    ((await client().get('/api/v1/urls?limit=200')).body['items'] as unknown[]).length;
  const before = await count();
  await open(`/?url=${encodeURIComponent('https://example.com/shared')}`);
  expect(await field().inputValue()).toBe('https://example.com/shared');
  expect(await count()).toBe(before);
  expect(page().url()).not.toContain('url=');
});

test('the share menu of a phone opens the field with the shared URL', async () => {
  const address = await page().locator('link[rel=manifest]').getAttribute('href');
  const manifestUrl = new URL(address!, baseUrl());
  const { share_target: target } = (await (await fetch(manifestUrl)).json()) as {
    share_target: { action: string; method: string; params: Record<string, string> };
  };
  expect(target.method).toBe('GET');
  const shared = new URL(target.action, manifestUrl);
  shared.searchParams.set(target.params['title']!, 'A page');
  shared.searchParams.set(target.params['text']!, 'https://example.com/from-a-phone');
  await page().goto(shared.href);
  await waitUntil(
    'the field is filled',
    async () => (await field().inputValue()) === 'https://example.com/from-a-phone',
  );
});

test('the page sends no request to another host and causes no console error', () => {
  expect([...origins].filter((origin) => origin !== 'null')).toEqual([baseUrl()]);
  expect(complaints.filter((text) => !text.includes('status of 409'))).toEqual([]);
});
