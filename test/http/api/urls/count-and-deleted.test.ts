import { beforeAll, describe, expect, test } from 'vitest';
import { createApiKeys } from '../../../../src/api-keys/api-keys.ts';
import type { Client } from '../../../support/http/client.ts';
import { readPages } from '../../../support/http/pages.ts';
import { useWeb } from '../../../support/http/web-app.ts';
import { createUrl, insertUrls } from '../../../support/urls/urls.ts';

const web = useWeb({ RETENTION_DAYS: '7' });
const dayMs = 24 * 3_600_000;
const path = '/api/v1/urls?state=deleted';

const count = async (query = '', client: Client = web.client()) => {
  const { status, body } = await client.get(`/api/v1/url-count${query}`);
  expect([query, status]).toEqual([query, 200]);
  return body as { count: number; is_exact: boolean; counted_at: string };
};

interface Deleted extends Record<string, unknown> {
  short_code: string;
  deleted_at: string;
  purged_at: string;
}

const deleted = async (query = '', client: Client = web.client()) => {
  const { status, body } = await client.get(`${path}${query}`);
  expect([query, status]).toEqual([query, 200]);
  return body['items'] as Deleted[];
};

const codesOf = (items: { short_code: string }[]) => items.map((item) => item.short_code);

async function restrictedClient(name: string) {
  const { key } = await createApiKeys(web.database.db()).create(name, {
    scopes: ['urls:read', 'urls:write'],
    ownUrlsOnly: true,
  });
  return web.client(key);
}

beforeAll(async () => {
  for (const [custom_code, tags] of [
    ['kept', ['a']],
    ['kept-2', ['a', 'b']],
    ['thrown', ['a']],
    ['thrown-2', []],
  ] as const)
    await createUrl(web.client(), { custom_code, tags });
  await web.client().delete('/api/v1/urls/thrown');
  await web.client().delete('/api/v1/urls/thrown-2');
});

describe('a count', () => {
  test.each([
    ['', 2],
    ['?tag=a', 2],
    ['?tag=a&tag=b', 1],
    ['?q=kept-2', 1],
    ['?q=none+of+it', 0],
    ['?is_active=false', 0],
    ['?expired=true', 0],
    ['?host=example.com', 2],
    ['?created_by=1', 2],
    ['?created_by=999', 0],
    ['?created_before=2020-01-01T00:00:00Z', 0],
    ['?state=deleted', 2],
    ['?state=deleted&tag=a', 1],
    ['?state=deleted&q=thrown', 2],
  ])('of %s equals the number of items in the list', async (query, expected) => {
    expect(await count(query)).toMatchObject({ count: expected, is_exact: true });
    const { body } = await web.client().get(`/api/v1/urls${query}`);
    expect(body['items']).toHaveLength(expected);
  });

  test('is of the own short URLs for a restricted key', async () => {
    const client = await restrictedClient('counting');
    expect(await count('', client)).toMatchObject({ count: 0 });
    expect(await count('?state=deleted', client)).toMatchObject({ count: 0 });
    const own = await createUrl(client, {});
    expect(await count('?created_by=1', client)).toMatchObject({ count: 0 });
    expect(await count('', client)).toMatchObject({ count: 1 });
    await client.delete(`/api/v1/urls/${own}?purge=true`);
  });

  test('has the time up to which it counted, so a bulk operation can exclude later short URLs', async () => {
    await createUrl(web.client(), { custom_code: 'before', tags: ['bounded'] });
    const { counted_at } = await count('?tag=bounded');
    await createUrl(web.client(), { custom_code: 'later', tags: ['bounded'] });
    const filter = { tag: ['bounded'], created_before: counted_at };
    const { body } = await web.client().post('/api/v1/urls/bulk/delete', { filter });
    expect(body['results']).toEqual([{ short_code: 'before', status: 204 }]);
    for (const code of ['before', 'later']) await web.client().delete(`/api/v1/urls/${code}?purge=true`);
  });

  test('ends at 10,000', async () => {
    const db = web.database.db();
    await insertUrls(db, { begin: 'many-', count: 10_000, areClicked: false });
    const tagged = db('urls').whereLike('short_code', 'many-%');
    await tagged.clone().update({ tags: ['many'] });
    expect(await count('?tag=many')).toMatchObject({ count: 10_000, is_exact: true });
    expect(await count()).toMatchObject({ count: 10_000, is_exact: false });
    await tagged.clone().delete();
  });

  test.each(['limit=1', 'cursor=x', 'sort=created', 'q=ab', 'state=all', 'created_by=me', 'colour=red'])(
    'with the parameter %s is rejected',
    async (query) => {
      expect(await web.client().get(`/api/v1/url-count?${query}`)).toBeProblem('validation-failed');
    },
  );
});

describe('the list of deleted short URLs', () => {
  test('is in order of deletion, with the times of deletion and purge', async () => {
    const items = await deleted();
    expect(codesOf(items)).toEqual(['thrown-2', 'thrown']);
    for (const { deleted_at, purged_at } of items) {
      expect(Math.abs(Date.now() - Date.parse(deleted_at))).toBeLessThan(60_000);
      expect(Date.parse(purged_at) - Date.parse(deleted_at)).toBe(7 * dayMs);
    }
    expect(codesOf(await deleted('&sort=deleted'))).toEqual(['thrown', 'thrown-2']);
    expect(codesOf(await deleted('&sort=-created'))).toEqual(['thrown-2', 'thrown']);
    expect(await readPages(web.client(), `${path}&limit=1`)).toEqual({ items, pages: 2 });
    const { body } = await web.client().get('/api/v1/urls');
    for (const item of body['items'] as object[]) expect(item).not.toHaveProperty('deleted_at');
  });

  test('has an earlier purge of one that had expired before its deletion', async () => {
    await createUrl(web.client(), { custom_code: 'expired-first' });
    const expires_at = new Date(Date.now() - 2 * dayMs);
    await web.database
      .db()('urls')
      .where({ short_code: 'expired-first' })
      .update({ expires_at, is_active: false });
    await web.client().delete('/api/v1/urls/expired-first');
    const [first] = await deleted();
    expect(first).toMatchObject({
      short_code: 'expired-first',
      purged_at: new Date(expires_at.getTime() + 7 * dayMs).toISOString(),
    });
    await web.client().delete('/api/v1/urls/expired-first?purge=true');
  });

  test('can be read with times that another program wrote', async () => {
    await createUrl(web.client(), { custom_code: 'endless' });
    await web.database.db().raw(`update urls set deleted_at = 'infinity' where short_code = 'endless'`);
    const last = '9999-12-31T23:59:59.999Z';
    expect((await deleted())[0]).toMatchObject({ short_code: 'endless', deleted_at: last, purged_at: last });
    expect((await readPages(web.client(), `${path}&limit=1`)).pages).toBe(3);
    await web.client().delete('/api/v1/urls/endless?purge=true');
  });

  test('no longer has restored and purged ones', async () => {
    await web.client().post('/api/v1/urls/thrown/restore');
    expect(codesOf(await deleted())).toEqual(['thrown-2']);
    await web.client().delete('/api/v1/urls/thrown');
    await web.client().delete('/api/v1/urls/thrown?purge=true');
    expect(codesOf(await deleted())).toEqual(['thrown-2']);
  });

  test('has only the own ones of a restricted key', async () => {
    const client = await restrictedClient('trash');
    const own = await createUrl(client, {});
    await client.delete(`/api/v1/urls/${own}`);
    expect(codesOf(await deleted('', client))).toEqual([own]);
    expect(codesOf(await deleted('&created_by=1', client))).toEqual([]);
  });

  test('has its own cursors and sort orders', async () => {
    const { body } = await web.client().get('/api/v1/urls?limit=1');
    const cursor = String(body['next_cursor']);
    for (const wrong of [
      `${path}&cursor=${cursor}`,
      '/api/v1/urls?sort=deleted',
      '/api/v1/urls?sort=-deleted',
      '/api/v1/urls?state=',
      '/api/v1/urls?state=deleted&state=deleted',
    ])
      expect(await web.client().get(wrong)).toBeProblem('validation-failed');
    const filter = { state: 'deleted', tag: ['a'] };
    expect(await web.client().post('/api/v1/urls/bulk/delete', { filter })).toBeProblem('validation-failed');
  });
});
