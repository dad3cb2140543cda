import { expect, test } from 'vitest';
import { checkPassword } from '../../../../src/urls/access/password.ts';
import type { Answer } from '../../../support/http/client.ts';
import { useWeb } from '../../../support/http/web-app.ts';

const web = useWeb();
const page = 'https://example.com/page';
const hour = 3_600_000;
const inHours = (hours: number) => new Date(Date.now() + hours * hour).toISOString();

const urls = '/api/v1/urls';
const create = async (body: object) => await web.client().post(urls, { original_url: page, ...body });
const change = async (code: unknown, body: object) =>
  await web.client().patch(`${urls}/${String(code)}`, body);
const read = async (code: unknown) => await web.client().get(`${urls}/${String(code)}`);

const errorsOf = ({ status, body }: Answer) => [status, body['errors']];
const refused = (field: string, detail: unknown) => [422, [{ field, detail }]];

/** Every setting with a value other than its default. */
const everything = {
  title: 'A title',
  tags: ['one', 'two'],
  notes: 'First line\n\tsecond line',
  is_active: true,
  starts_at: '2020-01-31T12:00:00.000Z',
  expires_at: '2099-01-31T12:00:00.000Z',
  max_clicks: 10,
  is_one_time: false,
  redirect_status: 307,
  redirect_max_age_seconds: 60,
  forward_query: true,
  fallback_url: 'https://example.com/over',
  crawlable: true,
};
const nothing = {
  title: null,
  tags: [],
  notes: null,
  is_active: true,
  starts_at: null,
  expires_at: null,
  max_clicks: null,
  is_one_time: false,
  has_password: false,
  redirect_status: null,
  redirect_max_age_seconds: null,
  forward_query: false,
  fallback_url: null,
  crawlable: false,
};
const clearing = Object.fromEntries([...Object.keys(everything), 'password'].map((field) => [field, null]));

test('a short URL is created and returned with all settings', async () => {
  const created = await create({ ...everything, password: 'open sesame' });
  expect(created.status).toBe(201);
  expect(created.body).toMatchObject({ ...everything, has_password: true });
  const shown = await read(created.body['short_code']);
  expect(shown.body).toEqual({ ...created.body, click_count: 0 });
  expect(JSON.stringify([created.body, shown.body])).not.toContain('scrypt');
});

test('an update sets fields, null resets them, and omitted fields stay unchanged', async () => {
  const { short_code } = (await create({})).body;
  const changed = await change(short_code, { ...everything, password: 'open sesame' });
  expect(changed.body).toMatchObject({ ...everything, has_password: true });
  expect((await change(short_code, { title: 'Another' })).body).toMatchObject({
    ...everything,
    title: 'Another',
    has_password: true,
    original_url: page,
  });
  expect((await change(short_code, clearing)).body).toMatchObject({ ...nothing, original_url: page });
  expect((await create(clearing)).body).toMatchObject(nothing);
});

test('a password is stored as a verifiable hash', async () => {
  const { short_code } = (await create({ password: 'öpen sesame' })).body;
  const { password_hash } = await web.database.db()('urls').where({ short_code }).first('password_hash');
  expect(password_hash).not.toContain('sesame');
  expect(await checkPassword('öpen sesame', password_hash)).toBe(true);
});

test.each([
  ['expires_in_seconds', 90, 90_000],
  ['expires_in_hours', 2, 2 * hour],
])('an update with %s is relative to now', async (field, value, ms) => {
  const { short_code } = (await create({})).body;
  const before = Date.now();
  const { expires_at } = (await change(short_code, { [field]: value })).body;
  expect(Date.parse(String(expires_at))).toBeGreaterThanOrEqual(before + ms);
  expect(Date.parse(String(expires_at))).toBeLessThanOrEqual(Date.now() + ms);
});

test('tags and titles are trimmed, and tags deduplicated', async () => {
  const { body } = await create({ title: '  A title ', tags: [' a ', 'b', 'a'], notes: 'one\r\ntwo' });
  expect(body).toMatchObject({ title: 'A title', tags: ['a', 'b'], notes: 'one\ntwo' });
});

test('lengths are measured in code points', async () => {
  const title = '🙈'.repeat(200);
  expect((await create({ title })).body['title']).toBe(title);
  expect(errorsOf(await create({ title: `${title}a` }))).toEqual(
    refused('title', 'must have 1 to 200 characters'),
  );
});

const wrong: [field: string, value: unknown, detail: RegExp][] = [
  ['title', '', /^must have 1 to 200 characters$/],
  ['title', 'two\nlines', /^must not contain control characters$/],
  ['title', 'nul \0', /^must not contain control characters$/],
  ['title', 'half \ud83d', /^must not contain control characters$/],
  ['title', 7, /^must be a string$/],
  ['notes', 'nul \0', /^must not contain control characters$/],
  ['notes', 'half \ude48', /^must not contain control characters$/],
  ['notes', 'bell \u{7}', /^must not contain control characters$/],
  ['notes', 'a'.repeat(2_001), /^must have 1 to 2000 characters$/],
  ['password', '', /^must have 1 to 128 characters$/],
  ['password', 'nul \0', /^must not contain control characters$/],
  ['tags', 'one', /^must be an array of strings$/],
  ['tags', Array.from({ length: 21 }, (_, i) => `tag ${i}`), /^must contain at most 20 tags$/],
  ['tags.0', [' '], /^must have 1 to 50 characters$/],
  ['tags.1', ['a', 'a'.repeat(51)], /^must have 1 to 50 characters$/],
  ['tags.0', ['nul \0'], /^must not contain control characters$/],
  ['tags.0', [null], /^must be a string$/],
  ['is_active', 'yes', /^must be true or false$/],
  ['is_one_time', 1, /^must be true or false$/],
  ['forward_query', 'true', /^must be true or false$/],
  ['crawlable', 0, /^must be true or false$/],
  ['starts_at', 'tomorrow', /^must be a time such as/],
  ['starts_at', '0000-01-01T00:00:00Z', /^must be between the years 1970 and 9999$/],
  ['starts_at', '9999-12-31T23:59:59-12:00', /^must be between the years 1970 and 9999$/],
  ['expires_at', '9999-12-31T23:59:59-12:00', /^must be between the years 1970 and 9999$/],
  ['expires_at', '2020-01-01T00:00:00Z', /^must be in the future$/],
  ['max_clicks', 0, /^must be at least 1$/],
  ['max_clicks', 1.5, /^must be a whole number$/],
  ['max_clicks', 1e12, /^must be at most 1000000000$/],
  ['redirect_status', 303, /^must be 301, 302, 307 or 308$/],
  ['redirect_status', '301', /^must be 301, 302, 307 or 308$/],
  ['redirect_max_age_seconds', -1, /^must be at least 0$/],
  ['redirect_max_age_seconds', 31_536_001, /^must be at most 31536000$/],
  ['fallback_url', 'javascript:alert(1)', /^must begin with http/],
  ['fallback_url', 'http://10.1/', /^must not lead to a private/],
  ['fallback_url', 'https://example.com/\0', /^must not contain control characters$/],
  ['fallback_url', 7, /^must be a string$/],
  ['original_url', 'https://example.com/\ud83d', /^must not contain control characters$/],
  ['original_url', null, /^must be a string$/],
  ['colour', 'red', /^is not a known field$/],
];

test.each(wrong)('creates and updates reject %s with the value %j', async (field, value, detail) => {
  const { short_code } = (await create({})).body;
  const body = { [field.replace(/\.\d$/, '')]: value };
  const expected = refused(field, expect.stringMatching(detail));
  expect(errorsOf(await create(body))).toEqual(expected);
  expect(errorsOf(await change(short_code, { notes: 'lost', ...body }))).toEqual(expected);
  expect((await read(short_code)).body).toMatchObject({ ...nothing, original_url: page });
});

test('an update rejects custom_code', async () => {
  const { short_code } = (await create({})).body;
  const answer = await change(short_code, { custom_code: 'another' });
  expect(errorsOf(answer)).toEqual(refused('custom_code', 'is not a known field'));
});

test('all rejected URLs and contradictions are listed in one answer', async () => {
  const answer = await create({
    original_url: 'ftp://example.com',
    fallback_url: 'http://localhost/',
    is_one_time: true,
    max_clicks: 2,
  });
  const fields = (answer.body['errors'] as { field: string }[]).map(({ field }) => field);
  expect(fields.toSorted()).toEqual(['fallback_url', 'max_clicks', 'original_url']);
});

test.each<[string, string, object, object, string]>([
  [
    'that starts must start before it expires',
    'starts_at',
    { expires_at: inHours(1) },
    { starts_at: inHours(2) },
    'must be before the expiry',
  ],
  [
    'that expires must expire after it starts',
    'starts_at',
    { starts_at: inHours(2) },
    { expires_in_hours: 1 },
    'must be before the expiry',
  ],
  [
    'that is used once is not used up after two clicks',
    'max_clicks',
    { is_one_time: true },
    { max_clicks: 2 },
    'must be 1 or absent for a one-time short URL',
  ],
])('a short URL %s, whether in one request or in two', async (_, field, first, second, detail) => {
  expect(errorsOf(await create({ ...first, ...second }))).toEqual(refused(field, detail));
  const created = await create(first);
  expect(created.status).toBe(201);
  const { short_code, version } = created.body;
  expect(errorsOf(await change(short_code, second))).toEqual(refused(field, detail));
  expect((await read(short_code)).body['version']).toBe(version);
  const cleared = Object.fromEntries(Object.keys(first).map((name) => [name, null]));
  expect((await change(short_code, { ...cleared, ...second })).status).toBe(200);
});
