import { beforeAll, beforeEach, expect, test } from 'vitest';
import { findViolations } from '../../support/dashboard/axe.ts';
import { useDashboard } from '../../support/dashboard/dashboard-page.ts';
import { useOidcProvider } from '../../support/single-sign-on/identity-provider.ts';
import { waitUntil } from '../../support/wait-until.ts';

const provider = useOidcProvider({ OIDC_ADMIN_GROUP: 'admins', OIDC_PROVIDER_NAME: 'Works' });
const { page, admin, baseUrl, database, complaints } = useDashboard(provider.settings);
beforeAll(() => provider.openFor(baseUrl()));
beforeEach(async () => {
  provider.person.claims = { name: 'Ada Lovelace', groups: ['admins'] };
  await page().context().clearCookies();
  await database.db()('sessions').delete();
  await page().goto('about:blank');
});

const signInLink = () => page().getByRole('link', { name: 'Sign in with Works' });
const signOut = async () => await page().getByRole('button', { name: 'Sign out' }).click();

test('a person signs in with one click, and continues on the screen that they opened', async () => {
  await page().goto(admin('/keys'));
  await signInLink().click();
  await page().getByRole('row', { name: 'Ada Lovelace person this session' }).waitFor();
  expect(page().url()).toBe(admin('/keys'));
  expect(await page().evaluate<string>('document.cookie')).toBe('');
  await page().reload();
  await page().getByRole('row', { name: 'Ada Lovelace person this session' }).waitFor();
});

test('the way back leads around the answer of the provider', async () => {
  await page().goto(admin('/tags'));
  await signInLink().click();
  await page().locator('main .screen h1').waitFor();
  const addresses: string[] = [];
  page().on('request', (request) => addresses.push(request.url()));
  await page().goBack();
  await page().goForward();
  await page().locator('main .screen h1').waitFor();
  expect(addresses.filter((address) => address.includes('code='))).toEqual([]);
});

test('signing out ends the session, and the provider signs in again without asking', async () => {
  await page().goto(admin());
  await signInLink().click();
  await signOut();
  await page().getByLabel('API key').waitFor();
  expect(await database.db()('sessions')).toEqual([]);
  await signInLink().press('Enter');
  await page().getByLabel('Long URLs').waitFor();
});

test('Bull Board opens directly after the sign-in', async () => {
  await page().goto(admin('/sign-in/oidc?return=/admin/queues'));
  const queue = page().getByText('flush-clicks').first();
  // On a busy machine a script may be answered with 503: then a person loads the page again.
  await waitUntil(
    'the queues are shown',
    async () => {
      const isShown = await queue.waitFor({ timeout: 10_000 }).then(
        () => true,
        () => false,
      );
      if (!isShown) await page().reload();
      return isShown;
    },
    60_000,
  );
  expect(page().url()).toContain('/admin/queues');
});

test('a person whose session ends signs in in another tab, and loses nothing', async () => {
  await page().goto(admin());
  await signInLink().click();
  await page().getByLabel('Long URLs').fill('https://example.com/not-lost');
  await database.db()('sessions').delete();
  const status = async () =>
    await page().evaluate(`fetch('${baseUrl()}/api/v1/api-keys/current').then(({ status }) => status)`);
  await waitUntil('the end of the session', async () => (await status()) === 401);
  // Not a click of the mouse: if another request of the page was first, the dialog already covers the button.
  await page().getByRole('button', { name: 'Shorten', exact: true }).dispatchEvent('click');
  const opened = page().waitForEvent('popup');
  await page().getByRole('dialog').getByRole('link', { name: 'Sign in with Works' }).click();
  const tab = await opened;
  await tab.getByLabel('Long URLs').waitFor();
  await tab.close();
  await page().evaluate(`dispatchEvent(new Event('focus'))`);
  await page().getByRole('dialog').waitFor({ state: 'detached' });
  expect(await page().getByLabel('Long URLs').inputValue()).toBe('https://example.com/not-lost');
});

test('the pages of the sign-in are accessible', async () => {
  const shown: string[] = [];
  for (const [path, status] of [
    ['/', 200],
    ['/sign-in/oidc/callback?code=x&state=y', 400],
  ] as const) {
    const response = await page().goto(admin(path));
    await page().locator('h1').waitFor();
    expect(response!.status()).toBe(status);
    for (const width of [1280, 320]) {
      await page().setViewportSize({ width, height: 800 });
      shown.push(...(await findViolations(page())));
      expect(await page().evaluate('document.documentElement.scrollWidth - innerWidth')).toBe(0);
    }
  }
  await page().setViewportSize({ width: 1280, height: 800 });
  expect(shown).toEqual([]);
});

test('no page logs a console error or violates the content security policy', () => {
  expect(complaints.filter((text) => !/status of 40[01]/.test(text))).toEqual([]);
});
