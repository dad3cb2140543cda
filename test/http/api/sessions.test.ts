import { afterAll, beforeAll, expect, test } from 'vitest';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import { createSessionStore } from '../../../src/sessions/session-store.ts';
import { createSignInLink } from '../../../src/sessions/sign-in-link.ts';
import { readPages } from '../../support/http/pages.ts';
import {
  cookieOf,
  cookiesOf,
  fromNewAddress,
  fromOwnPage,
  openPage,
  signIn,
} from '../../support/http/session.ts';
import { useWeb } from '../../support/http/web-app.ts';
import { startWeb } from '../../support/processes/processes.ts';
import { storeSettings } from '../../support/resources.ts';
import { waitUntil } from '../../support/wait-until.ts';

const web = useWeb({ TRUSTED_PROXY_HOPS: '1' });
const path = '/api/v1/sessions';
const current = `${path}/current`;
const removal = 'linkmill=; Max-Age=0; Path=/; HttpOnly; SameSite=Strict';
const day = 24 * 3_600_000;

/** Another web process with the same stores. */
let other: Awaited<ReturnType<typeof startWeb>>;
beforeAll(async () => {
  other = await startWeb({
    ...storeSettings(web.database, web.redis),
  });
});
afterAll(async () => {
  await other.stop();
});

const apiKeys = () => createApiKeys(web.database.db());
const createKey = async (...args: Parameters<ReturnType<typeof apiKeys>['create']>) =>
  await apiKeys().create(...args);
const sessions = () => web.database.db()('sessions');

async function createToken(apiKeyId: number): Promise<string> {
  const store = createSessionStore(web.database.db());
  const link = await createSignInLink({ store, baseUrl: web.baseUrl() }, apiKeyId);
  return link.split('#t=')[1]!;
}

const post = async (credential: unknown, headers: Record<string, string> = fromNewAddress()) =>
  await web.client(null).post(path, credential, { ...fromOwnPage, ...headers });

test('a browser that signs in with an API key has its permissions', async () => {
  const { id, key } = await createKey('reader', { scopes: ['urls:read'] });
  const answer = await post({ api_key: key }, { ...fromNewAddress(), 'user-agent': 'Browser \u0085 1.0' });
  expect(answer.status).toBe(204);
  expect(cookiesOf(answer)).toEqual([
    expect.stringMatching(/^linkmill=[\w-]{43}; Max-Age=2592000; Path=\/; HttpOnly; SameSite=Strict$/),
  ]);
  const page = openPage(web.baseUrl(), cookieOf(answer));
  const { status, headers, body } = await page.get(current);
  expect([status, headers.get('cache-control')]).toEqual([200, 'no-store']);
  expect(headers.getSetCookie()[0]).toContain(`${page.cookie}; Max-Age=2592000`);
  expect(body).toEqual({
    id: expect.any(Number),
    created_at: expect.any(String),
    last_used_at: expect.any(String),
    expires_at: expect.any(String),
    user_agent: 'Browser  1.0',
    is_current: true,
    api_key: (await web.client(key).get('/api/v1/api-keys/current')).body,
  });
  const lifetime = Date.parse(String(body['expires_at'])) - Date.parse(String(body['created_at']));
  expect(lifetime).toBe(30 * day);
  expect((await page.get('/api/v1/urls')).status).toBe(200);
  expect(await page.request('POST', '/api/v1/urls', { original_url: 'https://example.com/' })).toBeProblem(
    'insufficient-scope',
  );
  expect((await apiKeys().get(id)).name).toBe('reader');
});

test('the database has only hashes of sessions and sign-in tokens', async () => {
  const { id, key } = await createKey('hashed');
  const token = await createToken(id);
  const { cookie } = await signIn(web.baseUrl(), { api_key: key });
  const rows = await web.database
    .db()
    .raw(
      'select encode(token_hash, :hex) as hash from sessions union all select encode(token_hash, :hex) from sign_in_tokens',
      { hex: 'hex' },
    );
  const stored = (rows.rows as { hash: string }[]).map(({ hash }) => hash);
  for (const secret of [token, cookie.split('=')[1]!]) {
    expect(stored).not.toContain(Buffer.from(secret).toString('hex'));
    expect(stored).not.toContain(Buffer.from(secret, 'base64url').toString('hex'));
  }
  expect(stored.every((hash) => hash.length === 64)).toBe(true);
});

test('a sign-in token signs in once, also when it is used concurrently', async () => {
  const { id } = await createKey('once', { scopes: ['stats:read'] });
  const token = await createToken(id);
  const answers = await Promise.all(
    [web.baseUrl(), other.baseUrl, web.baseUrl(), other.baseUrl].map(
      async (baseUrl) =>
        await signIn(baseUrl, { sign_in_token: token }).then(
          (page) => page,
          () => undefined,
        ),
    ),
  );
  const signedIn = answers.filter((page) => page !== undefined);
  expect(signedIn).toHaveLength(1);
  expect((await signedIn[0]!.get(current)).body).toMatchObject({ api_key: { id, scopes: ['stats:read'] } });
  expect(await post({ sign_in_token: token })).toBeProblem('unauthorized');
  expect(await sessions().where({ api_key_id: id })).toHaveLength(1);
});

test('a sign-in token is valid for 10 minutes', async () => {
  const { id } = await createKey('late');
  const [late, early] = [await createToken(id), await createToken(id)];
  const db = web.database.db();
  const shift = async (seconds: number) =>
    await db('sign_in_tokens')
      .where({ api_key_id: id })
      .update({ expires_at: db.raw(`created_at + interval '10 minutes' - interval '${seconds} seconds'`) });
  const rows = await db('sign_in_tokens').where({ api_key_id: id });
  for (const { created_at: from, expires_at: to } of rows) expect(to - from).toBe(10 * 60_000);
  await shift(600);
  expect(await post({ sign_in_token: late })).toBeProblem('unauthorized');
  await shift(540);
  expect((await post({ sign_in_token: early })).status).toBe(204);
});

test('invalid credentials are rejected and create no session', async () => {
  const revoked = await createKey('revoked');
  const expired = await createKey('expired', { expiresAt: new Date(Date.now() - 1_000) });
  const tokens = [await createToken(revoked.id), await createToken(expired.id)];
  await apiKeys().revoke(revoked.id);
  const count = (await sessions()).length;
  for (const credential of [
    { api_key: revoked.key },
    { api_key: expired.key },
    { api_key: '' },
    { api_key: `${web.apiKey().slice(0, -1)}_` },
    { sign_in_token: '' },
    { sign_in_token: 'x'.repeat(43) },
    ...tokens.map((token) => ({ sign_in_token: token })),
  ]) {
    const answer = await post(credential);
    expect(answer).toBeProblem('unauthorized');
    expect(cookiesOf(answer)).toEqual([]);
  }
  for (const credential of [
    {},
    [],
    { api_key: 1 },
    { api_key: web.apiKey(), sign_in_token: 'x' },
    { api_key: web.apiKey(), scope: 'admin' },
    { sign_in_token: null },
    { api_key: 'x'.repeat(201) },
  ])
    expect((await post(credential)).status).toBeOneOf([400, 422]);
  expect(await sessions()).toHaveLength(count);
});

test('revoking or expiring an API key ends its sessions within 2 s in every process', async () => {
  const keys = [await createKey('to revoke'), await createKey('to expire')] as const;
  const pages = await Promise.all(keys.map(async ({ key }) => await signIn(web.baseUrl(), { api_key: key })));
  const everywhere = pages.flatMap(({ cookie }) =>
    [web.baseUrl(), other.baseUrl].map((baseUrl) => openPage(baseUrl, cookie)),
  );
  const statuses = async () =>
    await Promise.all(everywhere.map(async (page) => (await page.get(current)).status));
  expect(await statuses()).toEqual([200, 200, 200, 200]);
  expect((await web.client().delete(`/api/v1/api-keys/${keys[0].id}`)).status).toBe(204);
  await apiKeys().update(keys[1].id, { expiresAt: new Date(Date.now() - 1) });
  await waitUntil('the sessions have ended', async () => (await statuses()).every((s) => s === 401), 2_200);
  const answer = await everywhere[0]!.get(current);
  expect(answer).toBeProblem('unauthorized');
  expect(cookiesOf(answer)).toEqual([removal]);
});

test('a change of the scopes of an API key takes effect in its sessions within 2 s', async () => {
  const { id, key } = await createKey('changing', { scopes: ['urls:read'] });
  const page = await signIn(web.baseUrl(), { api_key: key });
  expect((await page.get('/api/v1/urls')).status).toBe(200);
  await apiKeys().update(id, { scopes: ['stats:read'] });
  await waitUntil('the scope is gone', async () => (await page.get('/api/v1/urls')).status === 403, 2_200);
});

test('a rotation without grace period keeps the sessions', async () => {
  const { id, key } = await createKey('rotating');
  const page = await signIn(web.baseUrl(), { api_key: key });
  await apiKeys().rotate(id, 0);
  await waitUntil(
    'the old secret is invalid',
    async () => (await web.client(key).get('/api/v1/urls')).status === 401,
    2_200,
  );
  expect((await page.get(current)).body).toMatchObject({ is_current: true, api_key: { id } });
  expect(await post({ api_key: key })).toBeProblem('unauthorized');
});

test('signing out ends the session at once, removes the cookie and clears the cache', async () => {
  const { key } = await createKey('leaving');
  const [page, stays] = [
    await signIn(web.baseUrl(), { api_key: key }),
    await signIn(web.baseUrl(), { api_key: key }),
  ];
  await openPage(other.baseUrl, page.cookie).get(current);
  const answer = await page.request('DELETE', current);
  expect([answer.status, answer.headers.get('clear-site-data')]).toEqual([204, '"cache"']);
  expect(cookiesOf(answer)).toEqual([removal]);
  expect((await page.get(current)).status).toBe(401);
  const elsewhere = openPage(other.baseUrl, page.cookie);
  await waitUntil('it has ended', async () => (await elsewhere.get(current)).status === 401, 2_200);
  expect((await stays.get(current)).status).toBe(200);
});

test('signing out everywhere ends the sessions of the API key, and of no other', async () => {
  const { id, key } = await createKey('everywhere');
  const foreign = await signIn(web.baseUrl(), { api_key: web.apiKey() });
  const pages = [
    await signIn(web.baseUrl(), { api_key: key }),
    await signIn(web.baseUrl(), { api_key: key }),
    await signIn(other.baseUrl, { api_key: key }),
  ];
  const answer = await pages[0]!.request('DELETE', path);
  expect([answer.status, answer.headers.get('clear-site-data')]).toEqual([204, '"cache"']);
  expect(cookiesOf(answer)).toEqual([removal]);
  expect(await sessions().where({ api_key_id: id })).toEqual([]);
  await waitUntil(
    'all have ended',
    async () =>
      (await Promise.all(pages.map(async (page) => (await page.get(current)).status))).every(
        (s) => s === 401,
      ),
    2_200,
  );
  expect((await foreign.get(current)).status).toBe(200);
  // With the key itself too, from a program.
  await signIn(web.baseUrl(), { api_key: key });
  const byKey = await web.client(key).delete(path);
  expect([byKey.status, cookiesOf(byKey)]).toEqual([204, []]);
  expect(await sessions().where({ api_key_id: id })).toEqual([]);
});

test('sessions of the API key are listed in pages, latest first, and can be ended one by one', async () => {
  const { key } = await createKey('listed');
  const pages = [];
  for (const agent of ['one', 'two', 'three'])
    pages.push(await signIn(web.baseUrl(), { api_key: key }, { 'user-agent': agent }));
  const foreign = (await (await signIn(web.baseUrl(), { api_key: web.apiKey() })).get(current)).body['id'];
  const listed = (await pages[1]!.get(path)).body['items'] as Record<string, unknown>[];
  expect(listed.map((one) => [one['user_agent'], one['is_current']])).toEqual([
    ['three', false],
    ['two', true],
    ['one', false],
  ]);
  expect(Object.keys(listed[0]!)).not.toContain('api_key');
  const read = await readPages<{ id: number }>(web.client(key), `${path}?limit=2`);
  expect([read.pages, read.items.map(({ id }) => id)]).toEqual([2, listed.map(({ id }) => id)]);

  expect(await pages[1]!.request('DELETE', `${path}/${String(foreign)}`)).toBeProblem('not-found');
  expect(await pages[1]!.request('DELETE', `${path}/999999999`)).toBeProblem('not-found');
  const ended = await pages[1]!.request('DELETE', `${path}/${String(listed[0]!['id'])}`);
  expect([ended.status, cookiesOf(ended)]).toEqual([204, []]);
  expect((await pages[2]!.get(current)).status).toBe(401);
  const own = await pages[1]!.request('DELETE', `${path}/${String(listed[1]!['id'])}`);
  expect([own.status, cookiesOf(own), own.headers.get('clear-site-data')]).toEqual([
    204,
    [removal],
    '"cache"',
  ]);
  expect((await pages[1]!.get(current)).status).toBe(401);
  expect((await pages[0]!.get(current)).status).toBe(200);
});

test('an API key without a session has no current session', async () => {
  expect(await web.client().get(current)).toBeProblem('not-found');
  expect(await web.client().delete(current)).toBeProblem('not-found');
  expect(await web.client(null).get(current)).toBeProblem('unauthorized');
});

test('a sign-in replaces the session of the browser, if it succeeds', async () => {
  const { id, key } = await createKey('again');
  const { cookie } = await signIn(web.baseUrl(), { api_key: key });
  const before = await sessions().where({ api_key_id: id }).first('id');
  await expect(signIn(web.baseUrl(), { api_key: 'wrong' }, { cookie })).rejects.toThrow('unauthorized');
  expect(await sessions().where({ api_key_id: id }).first('id')).toEqual(before);
  let last = cookie;
  for (const credential of [{ api_key: key }, { sign_in_token: await createToken(id) }]) {
    expect((await openPage(web.baseUrl(), last).get(current)).status).toBe(200);
    const next = await signIn(web.baseUrl(), credential, { cookie: last });
    expect(next.cookie).not.toBe(last);
    expect(await openPage(web.baseUrl(), last).get(current)).toBeProblem('unauthorized');
    expect(await sessions().where({ api_key_id: id })).toHaveLength(1);
    last = next.cookie;
  }
});

test('an API key has at most 100 sessions, and a further one ends the least recently used', async () => {
  const { id, key } = await createKey('many');
  await web.database.db().raw(
    `insert into sessions (token_hash, api_key_id, expires_at, last_used_at, user_agent)
     select sha256(cast('many-' || i as bytea)), :id, now() + interval '30 days', now() - make_interval(hours => i), i
     from generate_series(1, 100) i`,
    { id },
  );
  const page = await signIn(web.baseUrl(), { api_key: key });
  const agents = await sessions().where({ api_key_id: id }).pluck('user_agent');
  expect([agents.length, agents.includes('100'), agents.includes('99')]).toEqual([100, false, true]);
  expect((await page.get(current)).status).toBe(200);
});

test('an expired session is rejected, and a session ends with its API key at the latest', async () => {
  const soon = new Date(Date.now() + 3_600_000);
  const { id, key } = await createKey('short', { expiresAt: soon });
  const page = await signIn(web.baseUrl(), { api_key: key });
  expect((await page.get(current)).body['expires_at']).toBe(soon.toISOString());
  await sessions()
    .where({ api_key_id: id })
    .update({ expires_at: new Date(Date.now() - 1) });
  await waitUntil('it has expired', async () => (await page.get(current)).status === 401, 2_200);
  expect((await web.client(key).get(path)).body['items']).toEqual([]);
});

test('an eleventh sign-in from one address within a minute is rejected, also with a valid key', async () => {
  const address = { 'x-forwarded-for': '192.0.2.77' };
  const statuses: number[] = [];
  for (let i = 0; i < 10; i++) statuses.push((await post({ api_key: 'wrong' }, address)).status);
  expect(statuses).toEqual(Array(10).fill(401));
  const rejected = await post({ api_key: web.apiKey() }, address);
  expect(rejected).toBeProblem('rate-limited');
  expect(Number(rejected.headers.get('retry-after'))).toBeGreaterThan(0);
  expect((await post({ api_key: web.apiKey() })).status).toBe(204);
});

// The last one: there is no web process after it.
test('uses are written at most every five minutes, and postpone the expiry', async () => {
  const old = await createKey('old');
  const recent = await createKey('recent');
  const pages = await Promise.all(
    [old, recent].map(async ({ key }) => await signIn(web.baseUrl(), { api_key: key })),
  );
  const db = web.database.db();
  const shift = async (id: number, minutes: number) =>
    await sessions()
      .where({ api_key_id: id })
      .update({
        last_used_at: db.raw(`now() - interval '${minutes} minutes'`),
        expires_at: db.raw(`now() + interval '30 days' - interval '${minutes} minutes'`),
      });
  await shift(old.id, 6);
  await shift(recent.id, 4);
  const read = async (id: number) =>
    (await sessions().where({ api_key_id: id }).first('last_used_at', 'expires_at', db.raw('xmin')))!;
  const before = { old: await read(old.id), recent: await read(recent.id) };
  await db.raw(`
    create table session_writes (api_key_id bigint);
    create function note_session_write() returns trigger language plpgsql as $$
      begin insert into session_writes values (new.api_key_id); return null; end $$;
    create trigger note_session_write after update on sessions for each row execute function note_session_write()`);
  for (let i = 0; i < 20; i++) await Promise.all(pages.map(async (page) => await page.get(current)));
  await web.stop();
  expect(await db('session_writes').pluck('api_key_id')).toEqual([old.id]);
  const written = await read(old.id);
  expect(written.last_used_at > before.old.last_used_at).toBe(true);
  expect(written.expires_at - written.last_used_at).toBe(30 * day);
  expect(await read(recent.id)).toEqual(before.recent);
  expect((await apiKeys().get(old.id)).lastUsedAt).not.toBeNull();
});
