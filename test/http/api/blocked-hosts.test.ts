import { afterEach, expect, test } from 'vitest';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import { readPages } from '../../support/http/pages.ts';
import { useWeb } from '../../support/http/web-app.ts';
import { insertRestrictedUrl } from '../../support/urls/restricted-urls.ts';
import { createUrl } from '../../support/urls/urls.ts';
import { waitUntil } from '../../support/wait-until.ts';

const web = useWeb();
const path = '/api/v1/blocked-hosts';
const db = () => web.database.db();

const block = async (...hosts: string[]) => await web.client().post(path, { hosts });
const visit = async (code: string) => await web.client(null).get(`/${code}`);

afterEach(async () => {
  const { body } = await web.client().get(`${path}?limit=1000`);
  for (const { host } of body['items'] as { host: string }[]) await web.client().delete(`${path}/${host}`);
});

test('blocking and unblocking a host takes effect at once on a cached short URL', async () => {
  const code = await createUrl(web.client(), { original_url: 'https://www.bad.example/page' });
  expect((await visit(code)).status).toBe(301);
  expect((await visit(code)).status).toBe(301);
  expect((await block('bad.example')).body).toEqual({ added: 1, hosts: ['bad.example'] });

  const blocked = await visit(code);
  expect(blocked).toBeProblem('blocked');
  expect(blocked.headers.get('cache-control')).toBe('no-store');
  expect(blocked.headers.get('location')).toBeNull();
  expect(await web.client(null).get(`/${code}+`)).toBeProblem('blocked');
  expect((await web.client(null).head(`/${code}`)).status).toBe(451);

  expect((await web.client().delete(`${path}/BAD.example.`)).status).toBe(204);
  expect((await visit(code)).status).toBe(301);
});

test('a host blocked by another process is blocked within 2 s', async () => {
  const code = await createUrl(web.client(), { original_url: 'https://elsewhere.example/' });
  await db().raw(`insert into blocked_hosts (host) values ('elsewhere.example')`);
  await waitUntil('the host is blocked', async () => (await visit(code)).status === 451, 2_000);
});

test('the page for a blocked short URL does not contain its target', async () => {
  const code = await createUrl(web.client(), { original_url: 'https://page.bad.example/' });
  await block('bad.example');
  const response = await fetch(`${web.baseUrl()}/${code}`, {
    headers: { accept: 'text/html' },
    redirect: 'manual',
  });
  const text = await response.text();
  expect(response.status).toBe(451);
  expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(text).toContain('This link is blocked');
  expect(text).not.toContain('bad.example');
});

test('no access rule or fallback redirects to a blocked host', async () => {
  const originalUrl = 'https://gated.example/';
  const codes = {
    password: await insertRestrictedUrl(db(), { originalUrl, password: 'secret' }),
    oneTime: await insertRestrictedUrl(db(), { originalUrl, isOneTime: true }),
    limit: await insertRestrictedUrl(db(), { originalUrl, maxClicks: 5 }),
  };
  const past = new Date(Date.now() - 1_000);
  const expired = await insertRestrictedUrl(db(), { fallbackUrl: originalUrl, expiresAt: past });
  expect(await visit(expired)).toRedirectTo(originalUrl);
  await block('gated.example');
  const post = async (code: string) =>
    await web.client(null).post(`/${code}`, 'password=secret', {
      'content-type': 'application/x-www-form-urlencoded',
    });
  const [password, oneTime] = [await post(codes.password), await post(codes.oneTime)];
  const answers = [password, oneTime, await visit(codes.password), await visit(codes.limit)];
  for (const answer of answers) expect(answer).toBeProblem('blocked');
  expect(await visit(expired)).toBeProblem('expired');
  await web.client().delete(`${path}/gated.example`);
  expect((await visit(codes.limit)).status).toBe(301);
});

test('a blocked host does not change the answer of inactive short URLs', async () => {
  const originalUrl = 'https://hidden.example/';
  await block('hidden.example');
  const future = new Date(Date.now() + 60_000);
  const notBegun = await insertRestrictedUrl(db(), { originalUrl, startsAt: future });
  const disabled = await insertRestrictedUrl(db(), { originalUrl, isActive: false });
  expect(await visit(notBegun)).toBeProblem('not-found');
  expect(await visit(disabled)).toBeProblem('not-found');
});

test('a blocked host is rejected in creates and updates in every spelling', async () => {
  const code = await createUrl(web.client());
  await block('bücher.example', '93.184.216.34');
  const violationsOf = async (body: Record<string, unknown>, patch = false) => {
    const answer = patch
      ? await web.client().patch(`/api/v1/urls/${code}`, body)
      : await web.client().post('/api/v1/urls', body);
    return [answer.status, answer.body['errors']];
  };
  const refused = (field: string) => [422, [{ field, detail: 'must not lead to a blocked host' }]];
  const fine = 'https://example.com/';
  for (const original_url of ['https://WWW.Bücher.example./', 'http://0x5D.0xB8D822/']) {
    expect(await violationsOf({ original_url })).toEqual(refused('original_url'));
    expect(await violationsOf({ original_url }, true)).toEqual(refused('original_url'));
    expect(await violationsOf({ original_url: fine, fallback_url: original_url })).toEqual(
      refused('fallback_url'),
    );
    expect(await violationsOf({ fallback_url: original_url }, true)).toEqual(refused('fallback_url'));
  }
  expect(await visit(code)).toRedirectTo('https://example.com/page');
});

test('one request blocks 1,000 hosts and counts the new ones', async () => {
  const hosts = Array.from({ length: 1_000 }, (_, n) => `Host-${n}.example`);
  await block('host-0.example', 'host-1.example');
  const answer = await web.client().post(path, { hosts, reason: 'phishing' });
  expect(answer.status).toBe(200);
  expect(answer.body['added']).toBe(998);

  const { items, pages } = await readPages(web.client(), `${path}?limit=500`);
  expect(pages).toBe(2);
  expect(items.map(({ host }) => host)).toEqual(hosts.map((host) => host.toLowerCase()).toSorted());
  expect(items.find(({ host }) => host === 'host-7.example')).toEqual({
    host: 'host-7.example',
    reason: 'phishing',
    created_at: expect.any(String),
    created_by: expect.any(Number),
  });
  await db().raw('truncate blocked_hosts');
});

test.each([
  [{}, 'hosts'],
  [{ hosts: [] }, 'hosts'],
  [{ hosts: 'bad.example' }, 'hosts'],
  [{ hosts: ['ok.example', 'https://bad.example/'] }, 'hosts.1'],
  [{ hosts: ['*.bad.example'] }, 'hosts.0'],
  [{ hosts: [7] }, 'hosts.0'],
  [{ hosts: Array.from({ length: 1_001 }, () => 'a.example') }, 'hosts'],
  [{ hosts: ['a.example'], reason: 'a\nb' }, 'reason'],
  [{ hosts: ['a.example'], more: 1 }, 'more'],
])('an invalid block request blocks nothing and names the field %#', async (body, field) => {
  const answer = await web.client().post(path, body);
  expect(answer).toBeProblem('validation-failed');
  expect((answer.body['errors'] as { field: string }[]).map((error) => error.field)).toEqual([field]);
  expect((await web.client().get(path)).body).toEqual({ items: [], next_cursor: null });
});

test('unblocking an unblocked or invalid host answers 404', async () => {
  for (const host of ['unknown.example', '%20', 'a%2Fb', 'x'.repeat(300)])
    expect(await web.client().delete(`${path}/${host}`)).toBeProblem('not-found');
});

test('blocked hosts require the scope admin', async () => {
  const { key } = await createApiKeys(db()).create('writer', { scopes: ['urls:write', 'urls:read'] });
  expect((await web.client(key).get(path)).status).toBe(403);
  expect((await web.client(key).post(path, { hosts: ['a.example'] })).status).toBe(403);
});
