import { expect, test } from 'vitest';
import { createApiKeys } from '../../../../src/api-keys/api-keys.ts';
import { useWeb } from '../../../support/http/web-app.ts';
import { untilLocked } from '../../../support/locks.ts';

const web = useWeb();

let pages = 0;
/** A new original URL that no short URL has yet. */
const newPage = () => `https://example.com/find-if-exists/${(pages += 1)}`;

async function create(body: Record<string, unknown>, client = web.client()) {
  const answer = await client.post('/api/v1/urls', body);
  return { status: answer.status, code: answer.body['short_code'], answer };
}

const find = async (body: Record<string, unknown>, client = web.client()) =>
  await create({ find_if_exists: true, ...body }, client);

async function countUrls(page: string): Promise<number> {
  const rows = await web.database.db()('urls').where({ original_url: page });
  return rows.length;
}

test('an existing short URL is returned with 200', async () => {
  const page = newPage();
  const first = await find({ original_url: page });
  const second = await find({ original_url: page.replace('example', 'EXAMPLE') });
  expect(first.status).toBe(201);
  expect(second.status).toBe(200);
  expect(second.answer.body).toEqual(first.answer.body);
  for (const header of ['location', 'etag'])
    expect(second.answer.headers.get(header)).toBe(first.answer.headers.get(header));
  expect(await countUrls(page)).toBe(1);
});

test('the oldest match is returned', async () => {
  const page = newPage();
  const { code } = await create({ original_url: page });
  await create({ original_url: page });
  expect(await find({ original_url: page })).toMatchObject({ status: 200, code });
});

test.each([[undefined], [null], [false]])(
  'find_if_exists: %s creates another short URL',
  async (find_if_exists) => {
    const page = newPage();
    await create({ original_url: page });
    expect((await create({ original_url: page, find_if_exists })).status).toBe(201);
    expect(await countUrls(page)).toBe(2);
  },
);

test('find_if_exists must be a boolean or null', async () => {
  const { status, answer } = await find({ original_url: newPage(), find_if_exists: 'yes' });
  expect(status).toBe(422);
  expect(answer.body['errors']).toEqual([{ field: 'find_if_exists', detail: 'must be true or false' }]);
});

const full = {
  title: 'Title',
  notes: 'Notes',
  tags: ['one', 'two'],
  starts_at: '2020-01-01T00:00:00Z',
  expires_at: '2099-01-01T00:00:00Z',
  fallback_url: 'https://example.com/fallback',
  redirect_status: 307,
  redirect_max_age_seconds: 60,
  forward_query: true,
  crawlable: true,
};

test('all settings must match', async () => {
  const page = newPage();
  const { code } = await create({ original_url: page, ...full });
  expect(await find({ original_url: page, ...full })).toMatchObject({ status: 200, code });
  const names = Object.keys(full);
  for (const name of names)
    expect((await find({ original_url: page, ...full, [name]: null })).status, name).toBe(201);
  expect((await find({ original_url: page, is_active: false })).status).toBe(201);
  expect(await countUrls(page)).toBe(names.length + 2);
});

test.each([
  [{ password: 'secret word' }],
  [{ max_clicks: 3 }],
  [{ is_one_time: true }],
  [{ is_active: false }],
])('a short URL with access rules or an expiry never matches: %j', async (settings) => {
  const page = newPage();
  const wanted = { original_url: page, ...settings };
  expect((await find(wanted)).status).toBe(201);
  expect((await find(wanted)).status).toBe(201);
});

test('deleted, disabled and expired short URLs do not match', async () => {
  const page = newPage();
  const { code: deleted } = await find({ original_url: page });
  await web.client().delete(`/api/v1/urls/${String(deleted)}`);
  const { status, code: disabled } = await find({ original_url: page });
  expect(status).toBe(201);
  await web.client().request('PATCH', `/api/v1/urls/${String(disabled)}`, { is_active: false });
  expect((await find({ original_url: page })).status).toBe(201);

  const soon = { original_url: newPage(), expires_at: new Date(Date.now() + 60_000).toISOString() };
  const { code: expired } = await find(soon);
  expect((await find(soon)).status).toBe(200);
  const past = new Date(0);
  await web.database.db()('urls').where({ short_code: expired }).update({ expires_at: past });
  expect((await find(soon)).status).toBe(201);
});

test('find_if_exists matches the custom code only with the same target', async () => {
  const page = newPage();
  const first = await create({ original_url: page });
  const second = await find({ original_url: page, custom_code: 'own-code' });
  expect(second.status).toBe(201);
  expect(second.code).toBe('own-code');
  expect(await find({ original_url: page, custom_code: 'own-code' })).toMatchObject({
    status: 200,
    code: 'own-code',
  });
  expect(await find({ original_url: page })).toMatchObject({ status: 200, code: first.code });
  expect((await find({ original_url: newPage(), custom_code: 'own-code' })).status).toBe(409);
});

test('short URLs of other API keys do not match', async () => {
  const page = newPage();
  const { key } = await createApiKeys(web.database.db()).create('another');
  await create({ original_url: page });
  expect((await find({ original_url: page }, web.client(key))).status).toBe(201);
  expect((await find({ original_url: page }, web.client(key))).status).toBe(200);
});

test('50 concurrent requests create one short URL', async () => {
  const page = newPage();
  const answers = await Promise.all(Array.from({ length: 50 }, () => find({ original_url: page })));
  const count = (wanted: number) => answers.filter(({ status }) => status === wanted).length;
  expect(count(201)).toBe(1);
  expect(count(200)).toBe(49);
  expect(new Set(answers.map(({ code }) => code)).size).toBe(1);
  expect(await countUrls(page)).toBe(1);
});

test('concurrent requests that find no match create one short URL', async () => {
  const page = newPage();
  const db = web.database.db();
  // Inserts wait; reads continue.
  const blocker = await db.transaction();
  await blocker.raw('lock table urls in share row exclusive mode');
  const answers = Promise.all(Array.from({ length: 5 }, () => find({ original_url: page })));
  await untilLocked(db, 5);
  await blocker.rollback();
  expect((await answers).filter(({ status }) => status === 201)).toHaveLength(1);
  expect(await countUrls(page)).toBe(1);
});

test('a match uses no key', async () => {
  const page = newPage();
  await find({ original_url: page });
  const readKeys = async () => await web.database.db()('key_generator').select('next_number');
  const before = await readKeys();
  for (let i = 0; i < 20; i++)
    await Promise.all(Array.from({ length: 15 }, () => find({ original_url: page })));
  expect(await readKeys()).toEqual(before);
});
