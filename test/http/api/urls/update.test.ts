import { expect, test } from 'vitest';
import { createUrlCleanupStore } from '../../../../src/urls/store/cleanup-store.ts';
import { useWeb } from '../../../support/http/web-app.ts';
import { insertUrls } from '../../../support/urls/urls.ts';

const web = useWeb();
const page = 'https://example.com/page';
const urls = '/api/v1/urls';

async function create(body: object = {}) {
  const answer = await web.client().post(urls, { original_url: page, ...body });
  expect(answer.status).toBe(201);
  const code = String(answer.body['short_code']);
  return { code, path: `${urls}/${code}`, etag: answer.headers.get('etag')!, body: answer.body };
}
const patch = async (path: string, body: object, ifMatch?: string) =>
  await web.client().patch(path, body, ifMatch === undefined ? {} : { 'if-match': ifMatch });
const visit = async (code: string) => {
  const { status, headers } = await web.client(null).get(`/${code}`);
  return [status, headers.get('location')];
};
const cleanupStore = () => createUrlCleanupStore(web.database.db());
const setRow = async (code: string, values: object) =>
  await web.database.db()('urls').where({ short_code: code }).update(values);

test('a changed original URL takes effect at once', async () => {
  const { code, path } = await create();
  expect(await visit(code)).toEqual([301, page]);
  const changed = await patch(path, { original_url: 'https://EXAMPLE.com/new page' });
  expect(changed.body['original_url']).toBe('https://example.com/new%20page');
  expect(await visit(code)).toEqual([301, 'https://example.com/new%20page']);
});

test('a disabled short URL answers 404 at once, and can be enabled again', async () => {
  const { code, path } = await create();
  expect((await patch(path, { is_active: false })).body['is_active']).toBe(false);
  expect(await visit(code)).toEqual([404, null]);
  expect((await web.client().get(path)).body).toMatchObject({ is_active: false, short_code: code });
  expect((await web.client().get(`${path}/stats`)).status).toBe(200);
  expect((await web.client().get(`${path}/qr`)).status).toBe(200);
  expect((await patch(path, { is_active: true })).status).toBe(200);
  expect(await visit(code)).toEqual([301, page]);
});

test('a short URL that was created disabled answers 404 until it is enabled', async () => {
  const { code, path } = await create({ is_active: false });
  expect(await visit(code)).toEqual([404, null]);
  await patch(path, { is_active: true });
  expect(await visit(code)).toEqual([301, page]);
});

test('an empty update returns the short URL unchanged', async () => {
  const { path, body, etag } = await create({ is_active: false });
  const answer = await patch(path, {});
  expect(answer.body).toEqual(body);
  expect((await patch(path, {}, etag)).status).toBe(200);
  expect((await patch(path, {}, '"1000000"')).status).toBe(412);
});

test('each answer has the version as ETag, which increases with each update', async () => {
  const { path, body, etag } = await create();
  expect(etag).toBe(`"${String(body['version'])}"`);
  const readEtag = (await web.client().get(path)).headers.get('etag');
  expect(readEtag).toBe(etag);
  const changed = await patch(path, { title: 'new' });
  expect(changed.headers.get('etag')).toBe(`"${String(changed.body['version'])}"`);
  expect(Number(changed.body['version'])).toBeGreaterThan(Number(body['version']));
});

test('an update of an outdated version answers 412 with the current ETag', async () => {
  const { path, etag } = await create();
  const { headers } = await patch(path, { title: 'first' }, etag);
  const stale = await patch(path, { title: 'second' }, etag);
  expect(stale).toBeProblem('version-mismatch');
  expect(stale.headers.get('etag')).toBe(headers.get('etag'));
  const stillThere = await web.client().request('DELETE', path, undefined, { 'if-match': etag });
  expect(stillThere.status).toBe(412);
  expect((await web.client().get(path)).body['title']).toBe('first');
});

test.each<[string, (etag: string) => string, number]>([
  ['any version there is', () => '*', 200],
  ['the present one among others', (etag) => `"1", ${etag} , W/"2"`, 200],
  ['the present one weakly', (etag) => `W/${etag}`, 412],
  ['the present one without quotes', (etag) => etag.slice(1, -1), 412],
  ['no version', () => '', 412],
  ['what no version is', () => '"abc", "99999999999999999999"', 412],
])('If-Match accepts %s', async (_, ifMatch, status) => {
  const { path, etag } = await create();
  expect((await patch(path, { title: 'new' }, ifMatch(etag))).status).toBe(status);
});

test('updating an unknown short URL answers 404 despite If-Match', async () => {
  for (const ifMatch of [undefined, '*', '"1"'])
    expect((await patch(`${urls}/unknown1`, { title: 'new' }, ifMatch)).status).toBe(404);
  expect((await patch(`${urls}/abc`, { title: 'new' })).status).toBe(404);
});

test('a get with a current If-None-Match answers 304', async () => {
  const { path, etag } = await create();
  const readWith = async (header: string) => await web.client().get(path, { 'if-none-match': header });
  for (const header of [etag, `W/${etag}`, `"1000000", ${etag}`, '*']) {
    const answer = await readWith(header);
    expect(answer.status).toBe(304);
    expect(answer.headers.get('etag')).toBe(etag);
  }
  expect((await readWith('"1000000"')).status).toBe(200);
  await patch(path, { title: 'new' });
  expect((await readWith(etag)).status).toBe(200);
});

test('50 concurrent updates of different fields are all applied', async () => {
  const { code, path } = await create();
  const fields = [{ title: 'new' }, { notes: 'new' }, { tags: ['new'] }, { redirect_status: 302 }];
  const changes = Array.from({ length: 50 }, async (_, i) => await patch(path, fields[i % fields.length]!));
  const statuses = (await Promise.all(changes)).map(({ status }) => status);
  expect(statuses).toEqual(Array(50).fill(200));
  expect((await web.client().get(path)).body).toMatchObject(Object.assign({}, ...fields));
  expect(await visit(code)).toEqual([302, page]);
});

test('of 20 concurrent updates of one version one succeeds', async () => {
  const { path, etag } = await create();
  const answers = await Promise.all(
    Array.from({ length: 20 }, async (_, i) => await patch(path, { title: `title ${i}` }, etag)),
  );
  const made = answers.filter(({ status }) => status === 200);
  expect(made).toHaveLength(1);
  expect(answers.filter(({ status }) => status === 412)).toHaveLength(19);
  expect((await web.client().get(path)).body['title']).toBe(made[0]!.body['title']);
});

test('concurrent updates cannot jointly violate a rule', async () => {
  for (let times = 0; times < 5; times++) {
    const { path } = await create();
    const answers = await Promise.all([patch(path, { is_one_time: true }), patch(path, { max_clicks: 2 })]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 422]);
  }
});

test('a short URL disabled by the clean-up redirects again with a later expiry', async () => {
  const { code, path } = await create();
  await setRow(code, { expires_at: new Date(0) });
  expect((await cleanupStore().disableExpired(new Date(), 1_000)).length).toBeGreaterThan(0);
  await web.redis.redis().del(`${web.redis.prefix}:url:${code}`);
  expect(await visit(code)).toEqual([410, null]);
  expect((await patch(path, { title: 'still expired' })).status).toBe(200);
  expect(await visit(code)).toEqual([410, null]);
  const revived = await patch(path, { expires_in_hours: 1 });
  expect(revived.body['is_active']).toBe(true);
  expect(await visit(code)).toEqual([301, page]);
});

test('a disabled short URL stays disabled with a later expiry', async () => {
  const { code, path } = await create({ expires_in_hours: 1 });
  await patch(path, { is_active: false });
  await setRow(code, { expires_at: new Date(0) });
  await cleanupStore().disableExpired(new Date(), 1_000);
  expect((await patch(path, { expires_in_hours: 1 })).body['is_active']).toBe(false);
  expect(await visit(code)).toEqual([404, null]);
});

test('a short URL disabled by an external write stays disabled with a later expiry', async () => {
  const { code, path } = await create();
  await setRow(code, { expires_at: new Date(0) });
  await cleanupStore().disableExpired(new Date(), 1_000);
  await setRow(code, { is_active: true });
  await setRow(code, { is_active: false });
  expect((await patch(path, { expires_in_hours: 1 })).body['is_active']).toBe(false);
  expect(await visit(code)).toEqual([404, null]);
});

test('a restored short URL is unchanged and redirects at once', async () => {
  const { code, path } = await create({ title: 'A title', redirect_status: 302 });
  expect(await visit(code)).toEqual([302, page]);
  expect((await web.client().delete(path)).status).toBe(204);
  expect(await visit(code)).toEqual([404, null]);
  expect((await patch(path, { title: 'Another' })).status).toBe(404);
  const restored = await web.client().post(`${path}/restore`);
  expect(restored.status).toBe(200);
  expect(restored.body).toMatchObject({ title: 'A title', is_active: true });
  expect(restored.headers.get('etag')).toBe(`"${String(restored.body['version'])}"`);
  expect(await visit(code)).toEqual([302, page]);
});

test('a disabled short URL is still disabled after its restore', async () => {
  const { code, path } = await create();
  await patch(path, { is_active: false });
  await web.client().delete(path);
  expect((await web.client().post(`${path}/restore`)).body['is_active']).toBe(false);
  expect(await visit(code)).toEqual([404, null]);
});

test('restoring an active short URL changes nothing, and an unknown one answers 404', async () => {
  const { path, body } = await create();
  const answer = await web.client().post(`${path}/restore`);
  expect(answer.status).toBe(200);
  expect(answer.body).toEqual(body);
  for (const code of ['unknown1', 'abc'])
    expect((await web.client().post(`${urls}/${code}/restore`)).status).toBe(404);
});

test('a purged short URL cannot be restored', async () => {
  const { path } = await create();
  await web.client().delete(path);
  await insertUrls(web.database.db(), { begin: 'other-', count: 1 });
  const later = new Date(Date.now() + 31 * 24 * 3_600_000);
  expect(await cleanupStore().purge(later, 30, 90, 1_000)).toBeGreaterThan(0);
  expect((await web.client().post(`${path}/restore`)).status).toBe(404);
});
