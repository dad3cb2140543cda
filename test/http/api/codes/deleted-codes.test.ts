import { beforeAll, expect, test } from 'vitest';
import { openClickStore } from '../../../../src/analytics/click-store.ts';
import { createApiKeys } from '../../../../src/api-keys/api-keys.ts';
import { readAudit } from '../../../../src/clicks/ledger/audit.ts';
import { type ProblemType, problemUri } from '../../../../src/http/problems/problem-types.ts';
import { createUrlCleanupStore } from '../../../../src/urls/store/cleanup-store.ts';
import { makeBatch } from '../../../support/clicks/clicks.ts';
import type { Client } from '../../../support/http/client.ts';
import { useWeb } from '../../../support/http/web-app.ts';

const web = useWeb({ RETENTION_DAYS: '10' });
const urls = '/api/v1/urls';
const page = 'https://example.com/page';
const dayMs = 24 * 3_600_000;

let maker: Client;
let otherKey: Client;
let colleague: Client;
beforeAll(async () => {
  const apiKeys = createApiKeys(web.database.db());
  const keyOf = async (...given: Parameters<typeof apiKeys.create>) => (await apiKeys.create(...given)).key;
  maker = web.client(await keyOf('maker', { scopes: ['urls:read', 'urls:write'], ownUrlsOnly: true }));
  otherKey = web.client(await keyOf('otherKey', { scopes: ['urls:read', 'urls:write'], ownUrlsOnly: true }));
  colleague = web.client(await keyOf('colleague', { scopes: ['urls:read', 'urls:write', 'keys:reserve'] }));
});

let count = 0;
/** Creates and deletes a short URL with a custom code. */
async function createDeleted(more: object = {}) {
  const custom_code = `deleted-${++count}`;
  const { body } = await maker.post(urls, { original_url: page, custom_code, ...more });
  expect((await maker.delete(`${urls}/${custom_code}`)).status).toBe(204);
  return { code: custom_code, path: `${urls}/${custom_code}`, body };
}
const createAs = async (client: Client, custom_code: string, more: object = {}) =>
  await client.post(urls, { original_url: `${page}/2`, custom_code, ...more });
const visit = async (code: string) => (await web.client(null).get(`/${code}`)).headers.get('location');
const problem = (name: ProblemType) => problemUri(name, web.baseUrl());

test('a create under a deleted code states when and how the code becomes free', async () => {
  const { code, path } = await createDeleted();
  const refused = await createAs(maker, code);
  expect(refused).toMatchObject({
    status: 409,
    body: { type: problem('code-deleted'), restore_path: `${path}/restore` },
  });
  const deletedAt = Date.parse(String(refused.body['deleted_at']));
  expect(Date.now() - deletedAt).toBeLessThan(60_000);
  expect(Date.parse(String(refused.body['purged_at']))).toBe(deletedAt + 10 * dayMs);
  expect(refused.body['detail']).toContain(`DELETE ${path}?purge=true`);
  expect((await maker.post(String(refused.body['restore_path']))).status).toBe(200);
  expect((await createAs(maker, code)).body['type']).toBe(problem('code-taken'));
});

test('an API key without access to a deleted short URL gets code-taken', async () => {
  const { code } = await createDeleted();
  for (const more of [{}, { restore_deleted: true }]) {
    const { status, body } = await createAs(otherKey, code, more);
    expect(status).toBe(409);
    expect(body['type']).toBe(problem('code-taken'));
    expect(body['deleted_at']).toBeUndefined();
  }
});

test('an unrestricted key can restore but not replace or purge another key’s short URL', async () => {
  const { code, path } = await createDeleted();
  const refused = await createAs(colleague, code, { restore_deleted: true });
  expect(refused.status).toBe(409);
  expect(refused.body['type']).toBe(problem('code-deleted'));
  expect(refused.body['detail']).not.toContain('purge=true');
  const purge = await colleague.delete(`${path}?purge=true`);
  expect(purge.status).toBe(403);
  expect(purge.body['type']).toBe(problem('insufficient-scope'));
  expect((await colleague.post(`${path}/restore`)).status).toBe(200);
  expect(await visit(code)).toBe(page);
});

test('restore_deleted keeps the ID and the time of creation', async () => {
  const { code, path, body } = await createDeleted({ title: 'Old', max_clicks: 1 });
  const answer = await createAs(maker, code, { restore_deleted: true, tags: ['new'], max_clicks: 1 });
  expect(answer).toMatchObject({
    status: 200,
    body: { id: body['id'], created_at: body['created_at'], title: null, tags: ['new'] },
  });
  expect(answer.body['original_url']).toBe(`${page}/2`);
  expect(await visit(code)).toBe(`${page}/2`);
  expect((await maker.get(path)).headers.get('etag')).toBe(answer.headers.get('etag'));
});

test('restore_deleted resets the click limit', async () => {
  const custom_code = `deleted-${++count}`;
  await maker.post(urls, { original_url: page, custom_code, max_clicks: 1 });
  expect(await visit(custom_code)).toBe(page);
  expect(await visit(custom_code)).toBeNull();
  await maker.delete(`${urls}/${custom_code}`);
  await createAs(maker, custom_code, { restore_deleted: true, max_clicks: 1 });
  expect(await visit(custom_code)).toBe(`${page}/2`);
  expect(await visit(custom_code)).toBeNull();
});

test('restore_deleted creates a free code and never replaces an active short URL', async () => {
  const code = `deleted-${++count}`;
  expect((await createAs(maker, code, { restore_deleted: true })).status).toBe(201);
  const again = await createAs(maker, code, { restore_deleted: true });
  expect(again.status).toBe(409);
  expect(again.body['type']).toBe(problem('code-taken'));
});

test('restore_deleted without a custom code answers 422', async () => {
  const { status, body } = await maker.post(urls, { original_url: page, restore_deleted: true });
  expect(status).toBe(422);
  expect(body['errors']).toEqual([
    { field: 'restore_deleted', detail: 'must be given together with custom_code' },
  ]);
});

test('restore_deleted with an Idempotency-Key restores once', async () => {
  const { code } = await createDeleted();
  const headers = { 'idempotency-key': `restore-${code}` };
  const body = { original_url: `${page}/2`, custom_code: code, restore_deleted: true };
  const first = await maker.post(urls, body, headers);
  const second = await maker.post(urls, body, headers);
  expect(first.status).toBe(200);
  expect(second.status).toBe(200);
  expect(second.body).toEqual(first.body);
  expect(second.headers.get('Idempotent-Replayed')).toBe('true');
});

test('of two concurrent creates with restore_deleted one restores', async () => {
  const { code } = await createDeleted();
  const answers = await Promise.all(
    ['a', 'b'].map(async (title) => await createAs(maker, code, { restore_deleted: true, title })),
  );
  expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
});

test('a purge frees the code for the API key that created it', async () => {
  const { code, path } = await createDeleted();
  expect((await maker.delete(`${path}?purge=true`)).status).toBe(204);
  expect((await maker.post(`${path}/restore`)).status).toBe(404);
  expect((await createAs(otherKey, code)).body['type']).toBe(problem('code-taken'));
  expect((await createAs(colleague, code)).body['type']).toBe(problem('code-taken'));
  expect((await createAs(maker, code)).status).toBe(201);
  expect(await visit(code)).toBe(`${page}/2`);
});

test('a purged code is free for every API key after the retention period', async () => {
  const { code, path } = await createDeleted();
  await maker.delete(`${path}?purge=true`);
  await web.database
    .db()('reserved_keys')
    .where({ short_code: code })
    .update({ reserved_until: new Date(0) });
  expect(await createUrlCleanupStore(web.database.db()).endReservations(new Date(), 10)).toBe(1);
  expect((await createAs(otherKey, code)).status).toBe(201);
});

test('a purged code cannot be released to the key pool', async () => {
  const custom_code = `deleted-${++count}`;
  await createAs(colleague, custom_code);
  await colleague.delete(`${urls}/${custom_code}?purge=true`);
  const { body } = await colleague.post('/api/v1/codes/return', { codes: [custom_code] });
  expect(body).toEqual({ returned: [], refused: [custom_code] });
});

test('purging an active short URL ends its redirects and keeps the audit exact', async () => {
  const { body } = await maker.post(urls, { original_url: page });
  const code = String(body['short_code']);
  expect(await visit(code)).toBe(page);
  const clicks = openClickStore(web.database.db());
  await clicks.apply([makeBatch('018f0000-0000-7000-8000-000000000001', 1, Number(body['id']), 3)]);
  expect((await maker.delete(`${urls}/${code}?purge=true`)).status).toBe(204);
  expect(await visit(code)).toBeNull();
  await clicks.apply([makeBatch('018f0000-0000-7000-8000-000000000001', 2, Number(body['id']), 3)]);
  const { counted, onUrls, purged } = await readAudit(web.database.db());
  // The totals may include visits of this test.
  expect(onUrls + purged).toBe(counted);
  expect(purged).toBeGreaterThanOrEqual(6);
});

test('a purge with an outdated If-Match fails', async () => {
  const { path } = await createDeleted();
  const answer = await maker.request('DELETE', `${path}?purge=true`, undefined, { 'if-match': '"1"' });
  expect(answer.status).toBe(412);
  expect((await maker.post(`${path}/restore`)).status).toBe(200);
});

test('purging an unknown or inaccessible short URL answers 404', async () => {
  const { path } = await createDeleted();
  expect((await otherKey.delete(`${path}?purge=true`)).status).toBe(404);
  expect((await maker.delete(`${urls}/never-there?purge=true`)).status).toBe(404);
  expect((await maker.delete(`${path}?purge=yes`)).status).toBe(422);
});

test('bulk requests report, replace and purge deleted codes individually', async () => {
  const [one, two, three] = [await createDeleted(), await createDeleted(), await createDeleted()];
  const create = async (...items: object[]) => {
    const { body } = await maker.post(`${urls}/bulk`, { urls: items });
    return body['results'] as { status: number; problem?: Record<string, unknown> }[];
  };
  const item = { original_url: page };
  const results = await create(
    { ...item, custom_code: one.code },
    { ...item, custom_code: two.code, restore_deleted: true },
  );
  expect(results).toMatchObject([
    { status: 409, problem: { type: problem('code-deleted'), restore_path: `${one.path}/restore` } },
    { status: 200, url: { id: two.body['id'] } },
  ]);
  const purged = await maker.post(`${urls}/bulk/delete`, { short_codes: [three.code], purge: true });
  expect(purged.body['results']).toEqual([{ short_code: three.code, status: 204 }]);
  expect(await create({ ...item, custom_code: three.code })).toMatchObject([{ status: 201 }]);
});
