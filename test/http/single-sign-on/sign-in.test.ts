import { createHash } from 'node:crypto';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { findFreePort } from '../../../scripts/services/ports.ts';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import { fromOwnPage, openPage, signIn } from '../../support/http/session.ts';
import { useWeb } from '../../support/http/web-app.ts';
import { startWeb } from '../../support/processes/processes.ts';
import { storeSettings } from '../../support/resources.ts';
import { createBrowser, pageOf, signInAtProvider } from '../../support/single-sign-on/browser.ts';
import { useOidcProvider } from '../../support/single-sign-on/identity-provider.ts';
import { waitUntil } from '../../support/wait-until.ts';

const provider = useOidcProvider({
  TRUSTED_PROXY_HOPS: '1',
  OIDC_ADMIN_GROUP: 'admins',
  OIDC_USER_GROUP: 'staff',
});
const web = useWeb(provider.settings);
beforeAll(() => provider.openFor(web.baseUrl()));
beforeEach(() => {
  provider.person.subject = 'ada';
  provider.person.claims = { name: 'Ada', groups: ['staff'] };
});

const current = '/api/v1/api-keys/current';
const keyOf = async (browser: ReturnType<typeof createBrowser>) =>
  (await pageOf(browser, web.baseUrl()).get(current)).body;
const isSignedOut = async (browser: ReturnType<typeof createBrowser>) =>
  (await pageOf(browser, web.baseUrl()).get(current)).status === 401;
const sessionOf = async (browser: ReturnType<typeof createBrowser>) =>
  (await pageOf(browser, web.baseUrl()).get('/api/v1/sessions/current')).body;

test('a person gets an API key without a secret, with the scopes of everybody', async () => {
  const { browser, response, page } = await signInAtProvider(web.baseUrl());
  expect([response.status, page]).toEqual([200, expect.stringContaining(`url=${web.baseUrl()}/admin/"`)]);
  expect(await keyOf(browser)).toMatchObject({
    name: 'Ada',
    prefix: null,
    person: { issuer: provider.issuer(), subject: 'ada' },
    scopes: ['urls:read', 'urls:write', 'stats:read'],
    own_urls_only: true,
    expires_at: null,
    revoked_at: null,
  });
});

test('a sign-in ends the session of the browser, whose cookie the provider does not send back', async () => {
  const browser = createBrowser();
  const { key } = await createApiKeys(web.database.db()).create('before');
  const { cookie } = await signIn(web.baseUrl(), { api_key: key });
  const [name, token] = cookie.split('=');
  browser.cookies(web.baseUrl()).set(name!, token!);
  const callback = await browser.agree(await browser.begin(web.baseUrl()));
  // Browsers send no `SameSite=Strict` cookie from the site of the provider.
  browser.cookies(web.baseUrl()).delete(name!);
  expect((await browser.complete(callback)).status).toBe(200);
  expect(await openPage(web.baseUrl(), cookie).get(current)).toBeProblem('unauthorized');
  const hash = createHash('sha256').update(token!).digest();
  expect(await web.database.db()('sessions').where({ token_hash: hash })).toEqual([]);
  expect(await isSignedOut(browser)).toBe(false);
});

test('name and scopes follow the provider at each sign-in, and the API key stays the same', async () => {
  const before = await keyOf((await signInAtProvider(web.baseUrl())).browser);
  provider.person.claims = { name: 'Ada Lovelace', groups: ['staff', 'admins'] };
  const { browser } = await signInAtProvider(web.baseUrl());
  const promoted = await keyOf(browser);
  expect(promoted).toMatchObject({
    id: before['id'],
    name: 'Ada Lovelace',
    scopes: ['admin'],
    own_urls_only: false,
  });
  provider.person.claims = { name: 'Ada', groups: ['staff'] };
  await signInAtProvider(web.baseUrl());
  await waitUntil('the new scopes', async () => (await keyOf(browser))['own_urls_only'] === true);
  expect(await keyOf(browser)).toMatchObject({ id: before['id'], name: 'Ada' });
});

test('people are told apart by their subject, not by name or e-mail address', async () => {
  const claims = { name: 'Twin', groups: ['staff'], email: 'twin@example.com', email_verified: true };
  const ids: unknown[] = [];
  for (const subject of ['twin-1', 'twin-2', 'twin-1']) {
    provider.person.subject = subject;
    provider.person.claims = claims;
    ids.push((await keyOf((await signInAtProvider(web.baseUrl())).browser))['id']);
  }
  expect(ids[0]).toBe(ids[2]);
  expect(ids[0]).not.toBe(ids[1]);
});

test('short URLs of a person are theirs, and others do not see them', async () => {
  const { browser } = await signInAtProvider(web.baseUrl());
  const page = pageOf(browser, web.baseUrl());
  const created = await page.request('POST', '/api/v1/urls', { original_url: 'https://example.com/ada' });
  expect(created.status).toBe(201);
  const { short_code: code } = created.body;
  const me = await keyOf(browser);
  expect((await web.client().get(`/api/v1/urls/${String(code)}`)).body['created_by']).toBe(me['id']);
  provider.person.subject = 'bob';
  const other = pageOf((await signInAtProvider(web.baseUrl())).browser, web.baseUrl());
  expect(await other.get(`/api/v1/urls/${String(code)}`)).toBeProblem('not-found');
  expect(await other.get('/api/v1/api-keys')).toBeProblem('insufficient-scope');
});

test('a revoked person is signed out within 2 s, and stays out', async () => {
  provider.person.subject = 'leaver';
  const { browser } = await signInAtProvider(web.baseUrl());
  const { id } = await keyOf(browser);
  const from = performance.now();
  expect((await web.client().delete(`/api/v1/api-keys/${String(id)}`)).status).toBe(204);
  await waitUntil('the end of the session', async () => await isSignedOut(browser));
  expect(performance.now() - from).toBeLessThan(4_000);
  const again = await signInAtProvider(web.baseUrl());
  expect([again.response.status, again.page]).toEqual([
    403,
    expect.stringContaining('Your access has ended'),
  ]);
  expect(again.browser.cookies(web.baseUrl()).size).toBe(0);
  expect(await createApiKeys(web.database.db()).get(Number(id))).toMatchObject({
    revokedAt: expect.any(Date),
  });
});

test('a person who has left the groups loses all sessions at the next sign-in', async () => {
  provider.person.subject = 'mover';
  const { browser } = await signInAtProvider(web.baseUrl());
  const { browser: other } = await signInAtProvider(web.baseUrl());
  for (const [groups, text] of [
    [['guests'], 'You have no access'],
    [undefined, 'Your groups are unknown'],
  ] as const) {
    provider.person.claims = { name: 'Mover', groups: ['staff'] };
    const { browser: again } = await signInAtProvider(web.baseUrl());
    expect(await isSignedOut(again)).toBe(false);
    provider.person.claims = { name: 'Mover', groups };
    const refused = await signInAtProvider(web.baseUrl());
    expect([refused.response.status, refused.page]).toEqual([403, expect.stringContaining(text)]);
    for (const one of [browser, other, again]) expect(await isSignedOut(one)).toBe(true);
  }
});

test('sessions of people are valid only where their provider is the configured one', async () => {
  const { browser } = await signInAtProvider(web.baseUrl());
  const cookie = `linkmill=${browser.cookies(web.baseUrl()).get('linkmill')!}`;
  for (const [settings, status] of [
    [{}, 401],
    [{ ...provider.settings, OIDC_ISSUER: 'http://localhost:1' }, 401],
    [{ ...provider.settings, OIDC_ISSUER: `${provider.issuer()}/` }, 200],
  ] as [Record<string, string>, number][]) {
    const other = await startWeb({ ...storeSettings(web.database, web.redis), ...settings });
    try {
      expect((await openPage(other.baseUrl, cookie).get(current)).status).toBe(status);
    } finally {
      await other.stop();
    }
  }
  expect(await isSignedOut(browser)).toBe(false);
});

test('an expiry keeps a person out until it is removed', async () => {
  provider.person.subject = 'pausing';
  const { browser } = await signInAtProvider(web.baseUrl());
  const { id } = await keyOf(browser);
  const path = `/api/v1/api-keys/${String(id)}`;
  const soon = new Date(Date.now() + 1_000).toISOString();
  expect((await web.client().patch(path, { expires_at: soon })).status).toBe(200);
  await waitUntil('the end of the session', async () => await isSignedOut(browser));
  expect((await signInAtProvider(web.baseUrl())).response.status).toBe(403);
  expect((await web.client().patch(path, { expires_at: null })).status).toBe(200);
  expect((await signInAtProvider(web.baseUrl())).response.status).toBe(200);
});

test('the key of a person can neither be rotated, nor renamed, nor get other scopes', async () => {
  const { browser } = await signInAtProvider(web.baseUrl());
  const { id } = await keyOf(browser);
  const path = `/api/v1/api-keys/${String(id)}`;
  expect(await web.client().post(`${path}/rotate`, {})).toBeProblem('no-secret');
  const answer = await web.client().patch(path, { name: 'Root', scopes: ['admin'], own_urls_only: false });
  expect(answer).toBeProblem('validation-failed');
  expect((answer.body['errors'] as { field: string }[]).map(({ field }) => field)).toEqual([
    'name',
    'scopes',
    'own_urls_only',
  ]);
  expect(await keyOf(browser)).toMatchObject({ name: 'Ada', own_urls_only: true });
  const listed = (await web.client().get('/api/v1/api-keys')).body['items'] as Record<string, unknown>[];
  expect(listed.find((key) => key['id'] === id)).toMatchObject({ prefix: null, person: { subject: 'ada' } });
});

test('the session of a person ends a day after the sign-in, however much it is used', async () => {
  const { browser } = await signInAtProvider(web.baseUrl());
  const lifetime = ({ created_at: from, expires_at: to }: Record<string, unknown>) =>
    Date.parse(String(to)) - Date.parse(String(from));
  const session = await sessionOf(browser);
  expect(lifetime(session)).toBe(24 * 3_600_000);
  const db = web.database.db();
  const { id } = session;
  await db('sessions')
    .where({ id })
    .update({ last_used_at: db.raw(`now() - interval '1 hour'`) });
  const uses = async () =>
    await db('sessions').where({ id }).where('last_used_at', '>', db.raw(`now() - interval '10 minutes'`));
  await waitUntil('the use', async () => (await sessionOf(browser)) && (await uses()).length === 1, 60_000);
  expect(lifetime(await sessionOf(browser))).toBe(24 * 3_600_000);
}, 90_000);

test('a sign-in that one web process has begun is completed by another', async () => {
  const PORT = String(await findFreePort());
  const other = await startWeb({
    ...storeSettings(web.database, web.redis),
    ...provider.settings,
    BASE_URL: web.baseUrl(),
    PORT,
  });
  try {
    const browser = createBrowser();
    const callback = await browser.agree(await browser.begin(web.baseUrl()));
    const { search } = new URL(callback);
    const cookie = [...browser.cookies(web.baseUrl())].map((pair) => pair.join('=')).join('; ');
    const response = await fetch(`http://127.0.0.1:${PORT}/admin/sign-in/oidc/callback${search}`, {
      headers: { cookie },
    });
    expect(response.status).toBe(200);
    const session = response.headers.getSetCookie().find((text) => text.startsWith('linkmill='));
    expect((await openPage(web.baseUrl(), session!.split(';')[0]!).get(current)).status).toBe(200);
  } finally {
    await other.stop();
  }
});

test('the screen from which a person signs in opens again', async () => {
  const { page } = await signInAtProvider(
    web.baseUrl(),
    `?return=${encodeURIComponent('/admin/links/a?range=7d&bots=1')}`,
  );
  expect(page).toContain(`content="0; url=${web.baseUrl()}/admin/links/a?range=7d&amp;bots=1"`);
});

test('Bull Board opens for a person with jobs:run only', async () => {
  const board = async (browser: ReturnType<typeof createBrowser>) =>
    (await browser.open(`${web.baseUrl()}/admin/queues`, fromOwnPage)).status;
  expect(await board((await signInAtProvider(web.baseUrl())).browser)).toBe(403);
  provider.person.claims = { name: 'Ada', groups: ['admins'] };
  expect(await board((await signInAtProvider(web.baseUrl())).browser)).toBe(200);
});

test('names are one line without control characters, of at most 50 characters', async () => {
  for (const [name, shown] of [
    ['A\u202eda\n\u0000\tL', 'A da L'],
    ['x'.repeat(500), 'x'.repeat(50)],
    ['\u0000', 'ada@example.com'],
    [{ family: 'L' }, 'ada@example.com'],
    ['👩‍🚀'.repeat(40), expect.stringMatching(/^.{10,50}$/u)],
  ] as const) {
    provider.person.claims = { name, groups: ['staff'], email: 'ada@example.com' };
    const { browser } = await signInAtProvider(web.baseUrl());
    expect((await keyOf(browser))['name']).toEqual(shown);
  }
});
