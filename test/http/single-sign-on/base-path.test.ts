import { beforeAll, expect, test } from 'vitest';
import { useWeb } from '../../support/http/web-app.ts';
import { createBrowser, pageOf, signInAtProvider } from '../../support/single-sign-on/browser.ts';
import { useOidcProvider } from '../../support/single-sign-on/identity-provider.ts';

const provider = useOidcProvider({ TRUSTED_PROXY_HOPS: '1', BASE_URL: '/go' });
const web = useWeb(provider.settings);
beforeAll(() => provider.openFor(web.baseUrl()));

const screen = `?return=${encodeURIComponent('/go/admin/keys')}`;

test('a person signs in below the base path', async () => {
  expect(web.baseUrl()).toMatch(/\/go$/);
  const { browser, callback, page } = await signInAtProvider(web.baseUrl(), screen);
  expect(callback).toContain(`${web.baseUrl()}/admin/sign-in/oidc/callback?`);
  expect(page).toContain(`url=${web.baseUrl()}/admin/keys"`);
  expect((await pageOf(browser, web.baseUrl()).get('/api/v1/sessions/current')).status).toBe(200);
});

test('a proxy may remove the base path', async () => {
  const browser = createBrowser();
  const { origin } = new URL(web.baseUrl());
  const callback = await browser.agree(await browser.begin(origin, screen));
  const response = await browser.complete(callback.replace('/go/admin', '/admin'));
  expect(await response.text()).toContain(`url=${web.baseUrl()}/admin/keys"`);
});

test('a failure links to the sign-in below the base path', async () => {
  const response = await createBrowser().complete(`${web.baseUrl()}/admin/sign-in/oidc/callback`);
  expect(await response.text()).toContain('href="/go/admin/sign-in/oidc"');
});
