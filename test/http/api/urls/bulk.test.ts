import { expect, test } from 'vitest';
import { createApiKeys } from '../../../../src/api-keys/api-keys.ts';
import { problemUri } from '../../../../src/http/problems/problem-types.ts';
import { resultsOf } from '../../../support/http/bulk.ts';
import { useWeb } from '../../../support/http/web-app.ts';
import { createUrl, insertUrls } from '../../../support/urls/urls.ts';

const web = useWeb();
const page = 'https://example.com/page';

const post = async (path: string, body: unknown, key?: string) =>
  await web.client(key).post(`/api/v1/urls/bulk${path}`, body);

test('each item of a bulk create has its own result', async () => {
  await createUrl(web.client(), { custom_code: 'bulk-taken' });
  const urls = [
    { original_url: `${page}/1`, custom_code: 'bulk-1', title: 'One' },
    { original_url: 'ftp://example.com' },
    { original_url: page, custom_code: 'bulk-taken' },
    { original_url: `${page}/2` },
    null,
    { original_url: page, surprise: true },
    { original_url: page, custom_code: 'bulk-1' },
  ];
  const results = resultsOf(await post('', { urls }));
  expect(results.map(({ status }) => status)).toEqual([201, 422, 409, 201, 422, 422, 409]);
  expect(results[0]!.url).toMatchObject({ short_code: 'bulk-1', title: 'One' });
  expect(results[1]!.problem).toMatchObject({
    type: problemUri('validation-failed', web.baseUrl()),
    errors: [{ field: 'original_url', detail: 'must begin with http:// or https://' }],
  });
  expect((await web.client().get('/bulk-1')).status).toBe(301);
  const redirect = await web.client().get(`/${String(results[3]!.url!['short_code'])}`);
  expect(redirect.headers.get('location')).toBe(`${page}/2`);
});

test('a bulk create accepts 1,000 short URLs of the maximum length', async () => {
  const urls = Array.from({ length: 1_000 }, (_, i) => ({
    original_url: `${page}/thousand/${i}/`.padEnd(2_048, '-'),
    title: 'x'.repeat(200),
  }));
  const results = resultsOf(await post('', { urls }));
  expect(
    results.every(
      ({ status }, i) => status === 201 && results[i]!.url!['original_url'] === urls[i]!.original_url,
    ),
  ).toBe(true);
  expect(new Set(results.map(({ url }) => url!['short_code'])).size).toBe(1_000);
});

test('find_if_exists in a bulk create returns the existing short URL', async () => {
  const urls = Array.from({ length: 20 }, () => ({ original_url: `${page}/same`, find_if_exists: true }));
  const results = resultsOf(await post('', { urls }));
  expect(results.filter(({ status }) => status === 201)).toHaveLength(1);
  expect(new Set(results.map(({ url }) => url!['short_code'])).size).toBe(1);
});

test('a bulk update changes short URLs by code, and each failure is a problem', async () => {
  for (const code of ['change-1', 'change-2']) await createUrl(web.client(), { custom_code: code });
  const short_codes = ['change-1', 'change-none', 'change-2', 'change-1'];
  const results = resultsOf(
    await post('/change', { short_codes, changes: { title: 'Changed', original_url: `${page}/new` } }),
  );
  expect(results.map(({ short_code, status }) => [short_code, status])).toEqual([
    ['change-1', 200],
    ['change-none', 404],
    ['change-2', 200],
  ]);
  expect(results[2]!.url).toMatchObject({ title: 'Changed', original_url: `${page}/new` });
  expect((await web.client().get('/change-1')).headers.get('location')).toBe(`${page}/new`);
  expect(await post('/change', { short_codes, changes: { redirect_status: 200 } })).toMatchObject({
    status: 422,
  });
});

test('a bulk update hashes a password once, and rejects an invalid patch as a whole', async () => {
  const short_codes = Array.from({ length: 20 }, (_, i) => `secret-${i}`);
  await insertUrls(web.database.db(), { begin: 'secret-', count: 20, areClicked: false });
  const results = resultsOf(await post('/change', { short_codes, changes: { password: 'open sesame' } }));
  expect(results.every(({ status, url }) => status === 200 && url!['has_password'] === true)).toBe(true);
  const hashes = await web.database.db()('urls').whereIn('short_code', short_codes).distinct('password_hash');
  expect(hashes).toEqual([{ password_hash: expect.stringMatching(/^\$scrypt\$/) }]);
  const refused = await post('/change', { short_codes, changes: { original_url: 'ftp://example.com' } });
  expect(refused.status).toBe(422);
  expect(refused.body['errors']).toEqual([
    { field: 'original_url', detail: 'must begin with http:// or https://' },
  ]);
});

test('a filter updates and deletes all matches, 1,000 per request', async () => {
  await insertUrls(web.database.db(), { begin: 'filter-', count: 1_050, areClicked: false });
  await web.database
    .db()('urls')
    .whereLike('short_code', 'filter-%')
    .update({ tags: ['filtered'] });
  await createUrl(web.client(), { custom_code: 'unfiltered' });

  const filter = { tag: ['filtered'], is_active: true };
  const first = await post('/change', { filter, changes: { title: 'All' } });
  expect(resultsOf(first)).toHaveLength(1_000);
  const cursor = String(first.body['next_cursor']);
  const second = await post('/change', { filter, cursor, changes: { title: 'All' } });
  expect(resultsOf(second)).toHaveLength(50);
  expect(second.body['next_cursor']).toBeNull();
  const { body } = await web.client().get('/api/v1/urls/filter-1049');
  expect(body['title']).toBe('All');

  const [some, rest] = [await post('/delete', { filter }), await post('/delete', { filter })];
  expect(resultsOf(some)).toHaveLength(1_000);
  expect(resultsOf(rest)).toHaveLength(50);
  expect(resultsOf(some).every(({ status }) => status === 204)).toBe(true);
  expect((await web.client().get('/filter-7')).status).toBe(404);
  expect((await web.client().get('/unfiltered')).status).toBe(301);
});

test('a bulk request without targets or with two kinds of them is rejected', async () => {
  for (const [path, body] of [
    ['/delete', {}],
    ['/delete', { filter: { tag: ['x'] }, short_codes: ['abcd'] }],
    ['/delete', { filter: {} }],
    ['/delete', { filter: { tag: [] } }],
    ...[true, [1], '1', 1.5, null].map((id) => ['/delete', { filter: { created_by: id } }] as const),
    ['/change', { filter: { created_by: true }, changes: {} }],
    ['/change', { changes: {} }],
    ['/delete', { filter: { tag: ['x'] }, cursor: 'abc' }],
    ['/delete', { short_codes: [] }],
    ['/delete', { short_codes: Array.from({ length: 1_001 }, () => 'abcd') }],
    ['', { urls: [] }],
    ['', { urls: Array.from({ length: 1_001 }, () => ({})) }],
  ] as const) {
    expect((await post(path, body)).status).toBe(422);
  }
  expect((await post('', { urls: ['x'.repeat(4 * 1024 * 1024)] })).status).toBe(413);
  const left = await web.database.db()('urls').where({ created_by: 1, deleted_at: null });
  expect(left.length).toBeGreaterThan(0);
});

test('a restricted key cannot bulk update or delete short URLs of other keys', async () => {
  await createUrl(web.client(), { custom_code: 'foreign-1', tags: ['shared'] });
  const { key } = await createApiKeys(web.database.db()).create('own', {
    scopes: ['urls:write'],
    ownUrlsOnly: true,
  });
  await createUrl(web.client(key), { custom_code: 'mine-1', tags: ['shared'] });
  const byCode = resultsOf(await post('/delete', { short_codes: ['foreign-1'] }, key));
  expect(byCode.map(({ status }) => status)).toEqual([404]);
  const byTag = resultsOf(await post('/delete', { filter: { tag: 'shared' } }, key));
  expect(byTag).toEqual([{ short_code: 'mine-1', status: 204 }]);
  expect((await web.client().get('/foreign-1')).status).toBe(301);
});
