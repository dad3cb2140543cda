import { afterAll, beforeAll, expect, test } from 'vitest';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import { openPage, signIn } from '../../support/http/session.ts';
import { useWeb } from '../../support/http/web-app.ts';
import { startWeb } from '../../support/processes/processes.ts';
import { storeSettings, uniquePrefix, useDatabase } from '../../support/resources.ts';
import { createBrowser, pageOf, signInAtProvider } from '../../support/single-sign-on/browser.ts';
import { useOidcProvider } from '../../support/single-sign-on/identity-provider.ts';

const provider = useOidcProvider({ TRUSTED_PROXY_HOPS: '1', BASE_URL: '/go' });
const web = useWeb(provider.settings);
beforeAll(() => provider.openFor(web.baseUrl()));

/** Another service below the same host, with its own database. */
const others = useDatabase();
let other: Awaited<ReturnType<typeof startWeb>>;
beforeAll(async () => {
  const settings = { ...storeSettings(others, web.redis), ...provider.settings, BASE_URL: '/to' };
  other = await startWeb({ ...settings, REDIS_PREFIX: uniquePrefix() });
});
afterAll(() => other.stop());

const current = '/api/v1/sessions/current';
const screen = `?return=${encodeURIComponent('/go/admin/keys')}`;

test('a person signs in below the base path', async () => {
  expect(web.baseUrl()).toMatch(/\/go$/);
  const { browser, callback, page } = await signInAtProvider(web.baseUrl(), screen);
  expect(callback).toContain(`${web.baseUrl()}/admin/sign-in/oidc/callback?`);
  expect(page).toContain(`url=${web.baseUrl()}/admin/keys"`);
  expect((await pageOf(browser, web.baseUrl()).get(current)).status).toBe(200);
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

test('two services below one host have sessions of their own in one browser', async () => {
  const { key } = await createApiKeys(others.db()).create('other');
  const jar = new Map<string, string>();
  const keep = ({ cookie }: { cookie: string }) => jar.set(...(cookie.split('=') as [string, string]));
  keep(await signIn(web.baseUrl(), { api_key: web.apiKey() }));
  keep(await signIn(other.baseUrl, { api_key: key }));
  expect([...jar.keys()]).toEqual(['linkmill+go', 'linkmill+to']);
  // A browser sends both cookies to both: their path is that of the host.
  const cookie = [...jar].map((pair) => pair.join('=')).join('; ');
  for (const [baseUrl, name] of [
    [web.baseUrl(), 'test'],
    [other.baseUrl, 'other'],
  ] as const)
    expect((await openPage(baseUrl, cookie).get(current)).body).toMatchObject({ api_key: { name } });
});

test('sign-ins to two services below one host can be in progress at once', async () => {
  const browser = createBrowser();
  const jar = browser.cookies(web.baseUrl());
  const begun = await browser.begin(web.baseUrl());
  await browser.begin(other.baseUrl);
  for (const [name, value] of browser.cookies(other.baseUrl)) jar.set(name, value);
  expect([...jar.keys()]).toEqual(['linkmill-sign-in+go', 'linkmill-sign-in+to']);
  const response = await browser.complete(await browser.agree(begun));
  expect([response.status, [...jar.keys()]]).toEqual([200, ['linkmill-sign-in+to', 'linkmill+go']]);
});
