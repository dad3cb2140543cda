import { expect, test } from 'vitest';
import { signIn, useDashboard } from '../../support/dashboard/dashboard-page.ts';
import { runProcess } from '../../support/processes/processes.ts';

const { page, admin, apiKey, baseUrl, client, complaints, database } = useDashboard();

/** Errors that the page itself does not cause: the browser logs each answer of 401. */
const unexpected = () => complaints.filter((text) => !text.includes('status of 401'));

test('a wrong API key is refused with the reason, and a right one opens the links', async () => {
  await page().goto(admin());
  await page().getByLabel('API key').fill('lm_000000000000_wrong');
  await page().keyboard.press('Enter');
  await page().getByText('The API key is unknown, revoked or expired.').waitFor();
  await page().getByLabel('API key').fill(apiKey());
  await page().keyboard.press('Enter');
  await page().getByText('Your first short link is one paste away').waitFor();
  expect(page().url()).toBe(admin());
});

test('the session survives a reload, and its cookie is not readable by scripts', async () => {
  await page().reload();
  await page().getByLabel('Long URLs').waitFor();
  expect(await page().evaluate<string>('document.cookie')).toBe('');
  expect(await page().evaluate<string>('JSON.stringify(localStorage)')).not.toContain('lm_');
});

test('signing out ends the session', async () => {
  await page().getByRole('button', { name: 'Sign out' }).click();
  await page().getByLabel('API key').waitFor();
  await page().reload();
  await page().getByLabel('API key').waitFor();
  expect(await database.db()('sessions')).toEqual([]);
});

test('a one-time link signs in once, and its token leaves the address', async () => {
  const settings = { DATABASE_URL: database.url(), BASE_URL: baseUrl() };
  const { stdout } = await runProcess('src/cli/sign-in.js', settings);
  const [link] = /http\S+#t=\S+/.exec(stdout)!;
  await page().goto('about:blank');
  await page().goto(link);
  await page().getByLabel('Long URLs').waitFor();
  expect(page().url()).toBe(admin());

  await page().getByRole('button', { name: 'Sign out' }).click();
  await page().getByLabel('API key').waitFor();
  await page().goto('about:blank');
  await page().goto(link);
  await page().getByText('This sign-in link was used before').waitFor();
});

test('a session that ends keeps what is typed, and continues after signing in again', async () => {
  const { body } = await client().post('/api/v1/api-keys', {
    name: 'short-lived',
    scopes: ['urls:read', 'urls:write'],
  });
  await page().goto('about:blank');
  await signIn(page(), admin(), String(body['key']));
  await page().getByLabel('Long URLs').fill('https://example.com/not-lost');
  await client().delete(`/api/v1/api-keys/${body['id'] as number}`);
  await page().waitForTimeout(2_500);
  await page().getByRole('button', { name: 'Shorten', exact: true }).click();
  await page().getByRole('dialog').getByLabel('API key').fill(apiKey());
  await page().keyboard.press('Enter');
  await page().getByRole('dialog').waitFor({ state: 'detached' });
  expect(await page().getByLabel('Long URLs').inputValue()).toBe('https://example.com/not-lost');
  await page().getByRole('button', { name: 'Shorten', exact: true }).click();
  await page().getByText('Created and copied').waitFor();
});

test('no page logs a console error or violates the content security policy', () => {
  expect(unexpected()).toEqual([]);
});
