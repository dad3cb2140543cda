import { expect, test } from 'vitest';
import { createApiKeys } from '../../../../src/api-keys/api-keys.ts';
import { resultsOf } from '../../../support/http/bulk.ts';
import { useWeb } from '../../../support/http/web-app.ts';
import { createUrl } from '../../../support/urls/urls.ts';

const web = useWeb();
const path = (code: string) => `/api/v1/urls/${code}`;
const tagsOf = async (code: string) => (await web.client().get(path(code))).body['tags'];
const numbered = (count: number) => Array.from({ length: count }, (_, i) => `tag-${i}`);

async function bulk(short_codes: string[], changes: object, key?: string) {
  return resultsOf(await web.client(key).post('/api/v1/urls/bulk/change', { short_codes, changes }));
}

test('tags are added to the existing ones, normalised and without duplicates, and removed', async () => {
  await createUrl(web.client(), { custom_code: 'tags-1', tags: ['old', 'kept'] });
  await createUrl(web.client(), { custom_code: 'tags-2' });
  const results = await bulk(['tags-1', 'tags-2'], {
    add_tags: ['  new ', 'kept', 'new'],
    remove_tags: ['old'],
  });
  expect(results.map(({ url }) => url!['tags'])).toEqual([
    ['kept', 'new'],
    ['new', 'kept'],
  ]);
  expect(await tagsOf('tags-1')).toEqual(['kept', 'new']);
});

test('concurrent additions to one short URL all stay, each with its own version', async () => {
  await createUrl(web.client(), { custom_code: 'race' });
  const tags = numbered(20);
  const answers = await Promise.all(
    tags.map(async (tag) => await web.client().patch(path('race'), { add_tags: [tag] })),
  );
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  expect(new Set(answers.map(({ headers }) => headers.get('etag'))).size).toBe(20);
  expect(new Set((await tagsOf('race')) as string[])).toEqual(new Set(tags));
});

test('concurrent additions never exceed the limit of tags', async () => {
  await createUrl(web.client(), { custom_code: 'limit-race', tags: numbered(15) });
  const answers = await Promise.all(
    Array.from({ length: 10 }, async (_, i) =>
      web.client().patch(path('limit-race'), { add_tags: [`more-${i}`] }),
    ),
  );
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(5);
  expect(answers.filter(({ status }) => status === 422)).toHaveLength(5);
  expect(await tagsOf('limit-race')).toHaveLength(20);
});

test('a short URL that would get more than 20 tags fails alone and keeps its tags', async () => {
  await createUrl(web.client(), { custom_code: 'full', tags: numbered(20) });
  await createUrl(web.client(), { custom_code: 'empty' });
  const results = await bulk(['full', 'empty'], { add_tags: ['one-more'], title: 'Changed' });
  expect(results.map(({ status }) => status)).toEqual([422, 200]);
  expect(results[0]!.problem!['errors']).toEqual([
    { field: 'add_tags', detail: 'must contain at most 20 tags, together with the existing ones' },
  ]);
  expect((await web.client().get(path('full'))).body).toMatchObject({ title: null, tags: numbered(20) });

  const swapped = await bulk(['full'], { add_tags: ['one-more'], remove_tags: ['tag-0'] });
  expect(swapped[0]!.url!['tags']).toEqual([...numbered(20).slice(1), 'one-more']);
  expect((await bulk(['full'], { add_tags: ['tag-5'] }))[0]!.status).toBe(200);
});

test('If-Match holds for added tags: an outdated version is a 412, a full short URL a 422', async () => {
  await createUrl(web.client(), { custom_code: 'matched', tags: numbered(20) });
  const etag = (await web.client().get(path('matched'))).headers.get('etag')!;
  const patch = async (body: object, ifMatch: string) =>
    await web.client().patch(path('matched'), body, { 'if-match': ifMatch });
  expect(await patch({ add_tags: ['x'] }, '"1000000001"')).toBeProblem('version-mismatch');
  expect(await patch({ add_tags: ['x'] }, etag)).toBeProblem('validation-failed');
  const removed = await patch({ remove_tags: ['tag-0'] }, etag);
  expect(removed.status).toBe(200);
  expect(removed.headers.get('etag')).not.toBe(etag);
  expect(await patch({ add_tags: ['x'] }, etag)).toBeProblem('version-mismatch');
});

test('a search finds an added tag, and no longer a removed one', async () => {
  await createUrl(web.client(), { custom_code: 'searched', tags: ['before-change'] });
  await bulk(['searched'], { add_tags: ['after-change'], remove_tags: ['before-change'] });
  const found = async (q: string) =>
    ((await web.client().get(`/api/v1/urls?q=${q}`)).body['items'] as { short_code: string }[]).map(
      ({ short_code: code }) => code,
    );
  expect(await found('after-change')).toEqual(['searched']);
  expect(await found('before-change')).toEqual([]);
});

test('tags are added while a short URL is renamed', async () => {
  await createUrl(web.client(), { custom_code: 'renamed-1', tags: ['kept'] });
  const { body } = await web
    .client()
    .patch(path('renamed-1'), { short_code: 'renamed-2', add_tags: ['new'] });
  expect(body).toMatchObject({ short_code: 'renamed-2', tags: ['kept', 'new'] });
});

test('a rename with too many tags changes nothing, and the short URL can still be renamed', async () => {
  await createUrl(web.client(), { custom_code: 'crowded-1', tags: numbered(20) });
  const rename = async (body: object) => await web.client().patch(path('crowded-1'), body);
  expect(await rename({ short_code: 'crowded-2', add_tags: ['x'] })).toBeProblem('validation-failed');
  const { body } = await web.client().get(path('crowded-1'));
  expect(body).toMatchObject({ short_code: 'crowded-1', aliases: [], tags: numbered(20) });
  const renamed = await rename({ short_code: 'crowded-2' });
  expect(renamed.body).toMatchObject({ short_code: 'crowded-2', aliases: ['crowded-1'] });
});

test('tags that another program stored twice, nested or as null are cleaned by a change', async () => {
  await createUrl(web.client(), { custom_code: 'external' });
  const { id } = (await web.client().get(path('external'))).body;
  await web.database.db().raw(`update urls set tags = '{{a,null},{b,a}}' where id = ?`, [Number(id)]);
  expect((await bulk(['external'], { add_tags: ['c'] }))[0]!.url!['tags']).toEqual(['a', 'b', 'c']);
  await web.database
    .db()('urls')
    .where({ id })
    .update({ tags: numbered(30) });
  expect((await bulk(['external'], { remove_tags: ['tag-0'] }))[0]!.url!['tags']).toHaveLength(29);
  expect((await bulk(['external'], { add_tags: ['more'] }))[0]!.status).toBe(422);
});

test('a restricted key cannot tag short URLs of other keys', async () => {
  await createUrl(web.client(), { custom_code: 'not-yours', tags: ['mine'] });
  const { key } = await createApiKeys(web.database.db()).create('own', {
    ownUrlsOnly: true,
    scopes: ['urls:write'],
  });
  const [result] = await bulk(['not-yours'], { add_tags: ['theirs'], remove_tags: ['mine'] }, key);
  expect(result!.status).toBe(404);
  expect(await tagsOf('not-yours')).toEqual(['mine']);
});

test.each([
  ['tags beside added ones', { tags: ['a'], add_tags: ['b'] }, 'add_tags'],
  ['tags beside removed ones', { tags: null, remove_tags: ['b'] }, 'remove_tags'],
  ['a tag to add and to remove', { add_tags: ['a'], remove_tags: [' a'] }, 'remove_tags'],
  ['21 tags', { add_tags: numbered(21) }, 'add_tags'],
  ['a tag that is too long', { add_tags: ['x'.repeat(51)] }, 'add_tags.0'],
  ['a text', { remove_tags: 'a' }, 'remove_tags'],
  ['null', { add_tags: null }, 'add_tags'],
])('%s: 422 that names the field', async (_, changes, field) => {
  await web.client().post('/api/v1/urls', { original_url: 'https://example.com/', custom_code: 'ruled' });
  const single = await web.client().patch(path('ruled'), changes);
  expect(single.status).toBe(422);
  expect(single.body['errors']).toMatchObject([{ field }]);
  const body = { short_codes: ['ruled'], changes };
  const bulkAnswer = await web.client().post('/api/v1/urls/bulk/change', body);
  expect(bulkAnswer.body['errors']).toMatchObject([{ field: `changes.${field}` }]);
});

test('empty lists change nothing', async () => {
  await createUrl(web.client(), { custom_code: 'nothing', tags: ['a'] });
  const before = (await web.client().get(path('nothing'))).body;
  const { body } = await web.client().patch(path('nothing'), { add_tags: [], remove_tags: [] });
  expect(body).toEqual(before);
});
