import { afterAll, beforeAll, expect, test } from 'vitest';
import { createApiKeys } from '../../../../src/api-keys/api-keys.ts';
import { useWeb } from '../../../support/http/web-app.ts';
import { startWorker, type TestProcess } from '../../../support/processes/processes.ts';
import { storeSettings } from '../../../support/resources.ts';
import { createUrl, insertUrls } from '../../../support/urls/urls.ts';
import { waitUntil } from '../../../support/wait-until.ts';

const web = useWeb({ RATE_LIMIT_PER_KEY: '1000000' });
let worker: TestProcess;
beforeAll(async () => {
  worker = await startWorker(storeSettings(web.database, web.redis));
});
afterAll(async () => {
  await worker.stop();
});

const url = (code: string) => `/api/v1/urls/${code}`;
const tagPath = (tag: string) => `/api/v1/tags/${encodeURIComponent(tag)}`;
const rename = async (tag: string, name: unknown, key?: string) =>
  await web.client(key).patch(tagPath(tag), { name });
const tagsOf = async (code: string) => (await web.client().get(url(code))).body['tags'];
const codesWith = async (query: string) =>
  ((await web.client().get(`/api/v1/urls?${query}`)).body['items'] as { short_code: string }[]).map(
    ({ short_code: code }) => code,
  );

test('a renamed tag keeps its place, and merges with an existing one without duplicates', async () => {
  await createUrl(web.client(), { custom_code: 'ren-1', tags: ['first', 'old', 'last'] });
  await createUrl(web.client(), { custom_code: 'ren-2', tags: ['new', 'old'] });
  await createUrl(web.client(), { custom_code: 'ren-3', tags: ['older'] });
  const before = (await web.client().get(url('ren-1'))).headers.get('etag');
  expect(await rename('old', '  new ')).toMatchObject({ status: 200, body: { changed: 2 } });
  expect(await tagsOf('ren-1')).toEqual(['first', 'new', 'last']);
  expect(await tagsOf('ren-2')).toEqual(['new']);
  expect(await tagsOf('ren-3')).toEqual(['older']);
  expect((await web.client().get(url('ren-1'))).headers.get('etag')).not.toBe(before);
  expect((await rename('old', 'new')).body).toEqual({ changed: 0 });

  const { body } = await web.client().get('/api/v1/tags?limit=200');
  const counts = (body['items'] as { name: string; urls: number }[]).map(({ name, urls }) => [name, urls]);
  expect(counts).toContainEqual(['new', 2]);
  expect(counts.map(([name]) => name)).not.toContain('old');
});

test('searches and filters find the new name only', async () => {
  await createUrl(web.client(), { custom_code: 'found-1', tags: ['winter-sale'] });
  await rename('winter-sale', 'summer-offer');
  expect(await codesWith('q=summer-offer')).toEqual(['found-1']);
  expect(await codesWith('tag=summer-offer')).toEqual(['found-1']);
  expect(await codesWith('q=winter-sale')).toEqual([]);
  expect(await codesWith('tag=winter-sale')).toEqual([]);
});

test('a deleted tag disappears from all short URLs, which keep everything else', async () => {
  await createUrl(web.client(), { custom_code: 'del-1', tags: ['gone', 'kept'], title: 'Kept' });
  await createUrl(web.client(), { custom_code: 'del-2', tags: ['gone'] });
  expect(await web.client().delete(tagPath('gone'))).toMatchObject({ status: 200, body: { changed: 2 } });
  expect((await web.client().get(url('del-1'))).body).toMatchObject({ tags: ['kept'], title: 'Kept' });
  expect(await tagsOf('del-2')).toEqual([]);
  expect((await web.client().get('/del-1')).status).toBe(301);
  expect((await web.client().delete(tagPath('gone'))).body).toEqual({ changed: 0 });
});

test.each(['a/b', '100 %', 'Straße', 'a?b#c'])('the tag %s can be renamed', async (tag) => {
  const code = await createUrl(web.client(), { tags: [tag] });
  expect((await rename(tag, 'plain')).body).toEqual({ changed: 1 });
  expect(await tagsOf(code)).toEqual(['plain']);
});

test('a cached short URL redirects meanwhile, and a disabled one stays disabled', async () => {
  await createUrl(web.client(), { custom_code: 'cached', tags: ['moving'] });
  await createUrl(web.client(), { custom_code: 'disabled', tags: ['moving'], is_active: false });
  await web.client().get('/cached');
  expect((await rename('moving', 'moved')).body).toEqual({ changed: 2 });
  expect((await web.client().get('/cached')).status).toBe(301);
  expect((await web.client().get('/disabled')).status).toBe(404);
});

test('concurrent renames and additions lose no tag', async () => {
  const codes = await Promise.all(
    Array.from({ length: 20 }, async () => await createUrl(web.client(), { tags: ['busy'] })),
  );
  const [first, second, ...patches] = await Promise.all([
    rename('busy', 'calm'),
    rename('busy', 'calm'),
    ...codes.map(async (code) => web.client().patch(url(code), { add_tags: ['added'] })),
  ]);
  expect(Number(first.body['changed']) + Number(second.body['changed'])).toBe(20);
  expect(patches.every(({ status }) => status === 200)).toBe(true);
  for (const code of codes) expect(await tagsOf(code)).toEqual(['calm', 'added']);
});

test('a restricted key changes the tag of its own short URLs only', async () => {
  const { key } = await createApiKeys(web.database.db()).create('own', {
    ownUrlsOnly: true,
    scopes: ['urls:write', 'urls:read'],
  });
  await createUrl(web.client(), { custom_code: 'theirs', tags: ['shared'] });
  await createUrl(web.client(key), { custom_code: 'mine', tags: ['shared'] });
  expect((await rename('shared', 'own-name', key)).body).toEqual({ changed: 1 });
  expect([await tagsOf('theirs'), await tagsOf('mine')]).toEqual([['shared'], ['own-name']]);
  expect((await web.client(key).delete(tagPath('shared'))).body).toEqual({ changed: 0 });
  expect(await tagsOf('theirs')).toEqual(['shared']);
});

test('more than 1,000 short URLs are changed by a job, and the answer names it', async () => {
  const db = web.database.db();
  await insertUrls(db, { begin: 'lots-', count: 1_300, areClicked: false });
  await db('urls')
    .whereLike('short_code', 'lots-%')
    .update({ tags: ['lots', 'kept'] });
  const answer = await rename('lots', 'kept');
  expect(answer.status).toBe(202);
  expect(answer.body).toEqual({ id: expect.any(String), name: 'rename-tag', state: 'waiting' });
  const job = await waitUntil('the job is completed', async () => {
    const { body } = await web.client().get(answer.headers.get('location')!);
    return body['state'] === 'completed' && body;
  });
  expect(job).toMatchObject({ progress: 100, result: { changed: 1_300 } });
  const rows = await db('urls').whereLike('short_code', 'lots-%').distinct('tags');
  expect(rows).toEqual([{ tags: ['kept'] }]);
});

test('a tag that takes too long to find is changed by a job', async () => {
  await createUrl(web.client(), { custom_code: 'slow-1', tags: ['slow'] });
  const lock = await web.database.db().transaction();
  await lock.raw('lock table urls in access exclusive mode');
  const answer = await rename('slow', 'quick');
  await lock.rollback();
  expect(answer).toMatchObject({ status: 202, body: { name: 'rename-tag' } });
  await waitUntil(
    'the job has renamed it',
    async () => ((await tagsOf('slow-1')) as string[])[0] === 'quick',
  );
});

test('a short URL that another session changes is a 503, and the circuit stays closed', async () => {
  await createUrl(web.client(), { custom_code: 'held', tags: ['holding'] });
  const lock = await web.database.db().transaction();
  await lock('urls').where({ short_code: 'held' }).forUpdate().select('id');
  for (let i = 0; i < 3; i++) expect(await rename('holding', 'free')).toMatchObject({ status: 503 });
  expect(await tagsOf('held')).toEqual(['holding']);
  await lock.rollback();
  expect(await rename('holding', 'free')).toMatchObject({ status: 200, body: { changed: 1 } });
});

test('the job on demand needs the scope for changes of short URLs too', async () => {
  const { key } = await createApiKeys(web.database.db()).create('operator', { scopes: ['jobs:run'] });
  const run = async (data: object, apiKey?: string) =>
    (await web.client(apiKey).post('/api/v1/jobs/rename-tag', data)).status;
  expect(await run({ tag: 'a', name: 'b' }, key)).toBe(403);
  expect(await run({ tag: 'a', name: 'b' })).toBe(202);
  expect(await run({ name: 'b' })).toBe(422);
});

test.each([undefined, null, 7, '', '   ', 'x'.repeat(51), 'a\u0000b'])(
  'the name %j is a 422',
  async (name) => {
    const answer = await rename('any', name);
    expect(answer.status).toBe(422);
    expect(answer.body['errors']).toMatchObject([{ field: 'name' }]);
  },
);

test('a key that may only read gets 403', async () => {
  const { key } = await createApiKeys(web.database.db()).create('reader', { scopes: ['urls:read'] });
  expect((await rename('a', 'b', key)).status).toBe(403);
  expect((await web.client(key).delete(tagPath('a'))).status).toBe(403);
});
