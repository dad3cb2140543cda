import { afterEach, expect, test } from 'vitest';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import { onlyRow } from '../../../src/storage/postgres/postgres.ts';
import { resultsOf } from '../../support/http/bulk.ts';
import type { Answer } from '../../support/http/client.ts';
import { useWeb } from '../../support/http/web-app.ts';
import { untilLocked } from '../../support/locks.ts';
import { waitUntil } from '../../support/wait-until.ts';

const web = useWeb();
const page = 'https://example.com/once';

afterEach(async () => {
  await web.database.db().raw('truncate urls, url_stats, idempotency_keys restart identity cascade');
});

const create = async (key: string, body: object = { original_url: page }, client = web.client()) =>
  await client.post('/api/v1/urls', body, { 'idempotency-key': key });

const countUrls = async () => Number((await web.database.db()('urls').count({ count: '*' }))[0]!['count']);

/** The parts of a response that must be equal for a repeated request. */
const seen = ({ status, headers, body }: Answer) => ({
  status,
  location: headers.get('location'),
  etag: headers.get('etag'),
  body,
});

test('a repeated create gets the first answer with Idempotent-Replayed', async () => {
  const body = {
    original_url: page,
    title: 'Größe "ß"',
    tags: ['b', 'a'],
    expires_in_hours: 2,
    max_clicks: 9,
  };
  const first = await create('key-1', body);
  expect(first.status).toBe(201);
  expect(first.headers.has('Idempotent-Replayed')).toBe(false);
  // The order of fields does not matter.
  const again = await create('key-1', Object.fromEntries(Object.entries(body).toReversed()));
  expect(seen(again)).toEqual(seen(first));
  expect(again.headers.get('Idempotent-Replayed')).toBe('true');
  expect(await countUrls()).toBe(1);
});

test('a repeated create gets the first answer after changes, and stores no secret', async () => {
  const first = await create('key-2', { original_url: page, password: 'open sesame' });
  const path = `/api/v1/urls/${String(first.body['short_code'])}`;
  await web.client().request('PATCH', path, { title: 'changed' });
  await web.client().delete(path);
  await web.database.db().raw('delete from urls');
  const again = await create('key-2', { original_url: page, password: 'open sesame' });
  expect(seen(again)).toEqual(seen(first));
  expect(again.body['has_password']).toBe(true);
  const [stored] = await web.database.db()('idempotency_keys');
  expect(stored?.result['password_hash']).toBe('');
  expect(JSON.stringify(stored)).not.toContain('sesame');
});

test('a repeated create gets the first answer after the expiry', async () => {
  const expiresAt = Date.now() + 2_000;
  const url = { original_url: page, expires_at: new Date(expiresAt).toISOString() };
  const createMany = async () =>
    await web.client().post('/api/v1/urls/bulk', { urls: [url] }, { 'idempotency-key': 'key-many' });
  const [first, many] = [await create('key-late', url), await createMany()];
  expect(first.status).toBe(201);
  expect(resultsOf(many)[0]!.status).toBe(201);
  await waitUntil('the short URLs have expired', () => Date.now() > expiresAt);
  expect(seen(await create('key-late', url))).toEqual(seen(first));
  expect((await createMany()).body).toEqual(many.body);
  const late = await create('key-other', url);
  expect(late.status).toBe(422);
  expect(late.body['errors']).toEqual([{ field: 'expires_at', detail: 'must be in the future' }]);
});

test('a key with a different request answers 422 and creates nothing', async () => {
  await create('key-3', { original_url: page, password: 'open sesame' });
  for (const body of [{ original_url: page }, { original_url: page, password: 'close sesame' }]) {
    const other = await create('key-3', body);
    expect(other).toBeProblem('idempotency-key-reused');
  }
  expect(await countUrls()).toBe(1);
});

test('idempotency keys are scoped to an API key', async () => {
  const { key } = await createApiKeys(web.database.db()).create('other');
  const own = await create('key-4');
  const other = await create('key-4', { original_url: `${page}/other` }, web.client(key));
  expect(other.status).toBe(201);
  expect(other.body['short_code']).not.toBe(own.body['short_code']);
  expect(await countUrls()).toBe(2);
});

test('50 concurrent requests with one key create one short URL', async () => {
  const [same, others] = await Promise.all([
    Promise.all(Array.from({ length: 50 }, async () => await create('key-5'))),
    Promise.all(
      Array.from(
        { length: 50 },
        async (_, i) => await web.client().post('/api/v1/urls', { original_url: `${page}/${i}` }),
      ),
    ),
  ]);
  expect(new Set(same.map((answer) => JSON.stringify(seen(answer)))).size).toBe(1);
  expect(same.filter(({ headers }) => !headers.has('Idempotent-Replayed'))).toHaveLength(1);
  expect(others.every(({ status }) => status === 201)).toBe(true);
  expect(await countUrls()).toBe(51);
});

test('the key of a failed request can be reused', async () => {
  await web.client().post('/api/v1/urls', { original_url: page, custom_code: 'taken-once' });
  const taken = await create('key-6', { original_url: page, custom_code: 'taken-once' });
  expect(taken).toBeProblem('code-taken');
  expect((await create('key-6', { original_url: page, custom_code: 'free-once' })).status).toBe(201);
});

test('find_if_exists with a key creates at most one short URL', async () => {
  const body = { original_url: page, find_if_exists: true };
  const first = await create('key-7', body);
  expect(first.status).toBe(201);
  expect(seen(await create('key-7', body))).toEqual(seen(first));
  expect((await create('key-8', body)).status).toBe(200);
  expect(await countUrls()).toBe(1);
});

test('a request waits for the same request in another process, and replaces a failed one', async () => {
  const trx = await web.database.db().transaction();
  try {
    const { id } = onlyRow({ rows: await trx('api_keys').select('id').where({ name: 'test' }) });
    await trx('idempotency_keys').insert({
      api_key_id: id,
      key: 'key-9',
      item: 0,
      request_hash: Buffer.alloc(1),
      result: {},
    });
    const answer = create('key-9');
    await untilLocked(web.database.db());
    await trx.rollback();
    expect((await answer).status).toBe(201);
  } finally {
    await trx.rollback();
  }
});

test.each([
  ['an empty one', ''],
  ['two words', 'two words'],
  ['256 characters', 'a'.repeat(256)],
  ['a tab', 'tab\there'],
  ['an accent', 'caf\u00e9'],
])('the invalid key %s answers 422', async (_, key) => {
  const answer = await create(key);
  expect(answer).toBeProblem('validation-failed');
  expect(answer.body['errors']).toEqual([{ field: 'Idempotency-Key', detail: expect.any(String) }]);
  expect(await countUrls()).toBe(0);
});

test('a repeated bulk create gets the same results and retries failed items', async () => {
  const client = web.client();
  await client.post('/api/v1/urls', { original_url: page, custom_code: 'bulk-once' });
  const urls: object[] = Array.from({ length: 1_000 }, (_, i) => ({ original_url: `${page}/${i}` }));
  urls[500] = { original_url: page, custom_code: 'bulk-once' };
  const send = async (body: object) =>
    await client.post('/api/v1/urls/bulk', body, { 'idempotency-key': 'key-11' });

  const first = await send({ urls });
  expect(first.status).toBe(200);
  expect(first.headers.get('Idempotent-Replayed')).toBeNull();
  const again = await send({ urls });
  expect(again.body).toEqual(first.body);
  expect(again.headers.get('Idempotent-Replayed')).toBe('true');
  expect(await countUrls()).toBe(1_000);

  await web.database.db().raw("update urls set short_code = 'out-of-the-way' where short_code = 'bulk-once'");
  const third = (await send({ urls })).body['results'] as { status: number }[];
  expect(third.filter(({ status }) => status === 201)).toHaveLength(1_000);
  expect(await countUrls()).toBe(1_001);

  for (const other of [{ urls: urls.slice(1) }, { urls: [...urls.slice(1), ...urls.slice(0, 1)] }])
    expect(await send(other)).toBeProblem('idempotency-key-reused');
  expect(await countUrls()).toBe(1_001);
});

test('concurrent identical bulk creates create each short URL once', async () => {
  const urls = Array.from({ length: 100 }, (_, i) => ({ original_url: `${page}/twice/${i}` }));
  const [one, other] = await Promise.all(
    [1, 2].map(
      async () => await web.client().post('/api/v1/urls/bulk', { urls }, { 'idempotency-key': 'key-12' }),
    ),
  );
  expect(one!.body).toEqual(other!.body);
  expect(await countUrls()).toBe(100);
});
