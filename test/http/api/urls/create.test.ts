import { expect, test } from 'vitest';
import { createApiKeys } from '../../../../src/api-keys/api-keys.ts';
import { reservedWords } from '../../../../src/keys/short-code.ts';
import { useWeb } from '../../../support/http/web-app.ts';
import { waitUntil } from '../../../support/wait-until.ts';

const web = useWeb({ ALIAS_HOSTS: 'other.example' });
const page = 'https://example.com/page';

async function countUrls(): Promise<number> {
  const { rows } = await web.database.db().raw('select count(*) as count from urls');
  return rows[0].count;
}

async function createUrl(body: object) {
  const answer = await web.client().post('/api/v1/urls', { original_url: page, ...body });
  expect(answer.status).toBe(201);
  return answer.body as { short_code: string; expires_at: string | null; created_at: string };
}

test('a create answers 201 with exactly the documented fields', async () => {
  const answer = await web.client().post('/api/v1/urls', { original_url: page });
  const code = String(answer.body['short_code']);
  expect(answer.status).toBe(201);
  expect(answer.headers.get('location')).toBe(`${web.baseUrl()}/api/v1/urls/${code}`);
  expect(answer.body).toEqual({
    id: expect.any(Number),
    short_code: expect.stringMatching(/^[0-9A-Za-z]{7}$/),
    short_url: `${web.baseUrl()}/${code}`,
    original_url: page,
    created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    updated_at: expect.stringMatching(/Z$/),
    title: null,
    tags: [],
    notes: null,
    click_count: 0,
    last_accessed_at: null,
    starts_at: null,
    expires_at: null,
    max_clicks: null,
    is_one_time: false,
    has_password: false,
    is_active: true,
    redirect_status: null,
    redirect_max_age_seconds: null,
    forward_query: false,
    fallback_url: null,
    crawlable: false,
    aliases: [],
    created_by: expect.any(Number),
    version: expect.any(Number),
  });
});

test('getting a short URL is not a click and returns its count', async () => {
  const { short_code } = await createUrl({});
  const read = await web.client().get(`/api/v1/urls/${short_code}`);
  expect(read.body).toMatchObject({ short_code, original_url: page, click_count: 0 });
  const stats = await web.client().get(`/api/v1/urls/${short_code}/stats`);
  expect(stats.body).toEqual({
    short_code,
    original_url: page,
    clicks: 0,
    created_at: read.body['created_at'],
    last_accessed_at: null,
  });
});

test('null equals an omitted field', async () => {
  const body = { custom_code: null, expires_in_seconds: null, expires_in_hours: null, expires_at: null };
  expect((await createUrl(body)).expires_at).toBeNull();
});

test.each([
  [{ expires_in_seconds: 90 }, 90],
  [{ expires_in_hours: 8_760 }, 8_760 * 3_600],
])('the expiry %j is relative to now', async (body, seconds) => {
  const before = Date.now();
  const { expires_at } = await createUrl(body);
  const expiresAtMs = Date.parse(String(expires_at));
  expect(expiresAtMs).toBeGreaterThanOrEqual(before + seconds * 1_000);
  expect(expiresAtMs).toBeLessThanOrEqual(Date.now() + seconds * 1_000);
});

test('a time with an offset is returned in UTC', async () => {
  const { expires_at } = await createUrl({ expires_at: '2099-01-31T12:00:00+02:00' });
  expect(expires_at).toBe('2099-01-31T10:00:00.000Z');
});

const refusedBodies: [field: string, body: object, detail: RegExp][] = [
  ['original_url', { original_url: undefined }, /^is required$/],
  ['original_url', { original_url: null }, /^must be a string$/],
  ['original_url', { original_url: 7 }, /^must be a string$/],
  ['original_url', { original_url: [page] }, /^must be a string$/],
  ['original_url', { original_url: '' }, /^must be an absolute URL/],
  ['original_url', { original_url: 'example.com' }, /^must be an absolute URL/],
  ['original_url', { original_url: 'javascript:alert(1)' }, /^must begin with http/],
  ['original_url', { original_url: 'https://user:word@example.com/' }, /^must not contain a user name/],
  ['original_url', { original_url: 'https://example.com/\n' }, /^must not contain control characters$/],
  ['original_url', { original_url: 'https://example.com/\0' }, /^must not contain control characters$/],
  ['original_url', { original_url: `${page}?${'a'.repeat(2_048)}` }, /^must have at most 2048 characters$/],
  ['original_url', { original_url: 'http://10.1/' }, /^must not lead to a private/],
  ['original_url', { original_url: 'http://OTHER.example./a' }, /^must not lead back to this service$/],
  ['custom_code', { custom_code: 'abc' }, /^must be 4 to 32 letters, digits, "-" or "_"$/],
  ['custom_code', { custom_code: 'a'.repeat(33) }, /^must be 4 to 32/],
  ['custom_code', { custom_code: 'with space' }, /^must be 4 to 32/],
  ['custom_code', { custom_code: 'abcd\n' }, /^must be 4 to 32/],
  ['custom_code', { custom_code: 'abcd\0' }, /^must be 4 to 32/],
  ['custom_code', { custom_code: 'ümläut' }, /^must be 4 to 32/],
  ['custom_code', { custom_code: 1234 }, /^must be a string$/],
  ['expires_in_seconds', { expires_in_seconds: 0 }, /^must be at least 1$/],
  ['expires_in_seconds', { expires_in_seconds: -5 }, /^must be at least 1$/],
  ['expires_in_seconds', { expires_in_seconds: 1.5 }, /^must be a whole number$/],
  ['expires_in_seconds', { expires_in_seconds: '60' }, /^must be a whole number$/],
  ['expires_in_seconds', { expires_in_seconds: 1e15 }, /^must be at most/],
  ['expires_in_hours', { expires_in_hours: 0 }, /^must be at least 1$/],
  ['expires_in_hours', { expires_in_hours: 8_761 }, /^must be at most 8760$/],
  ['expires_at', { expires_at: '2020-01-01T00:00:00Z' }, /^must be in the future$/],
  ['expires_at', { expires_at: 'tomorrow' }, /^must be a time such as/],
  ['expires_at', { expires_at: '2099-02-30T00:00:00Z' }, /^must be a time such as/],
  ['expires_at', { expires_at: 4_102_444_800_000 }, /^must be a time such as/],
  ['colour', { colour: 'red' }, /^is not a known field$/],
  ['shortCode', { shortCode: 'abcd' }, /^is not a known field$/],
];

test.each(refusedBodies)('an invalid %s answers 422 and stores nothing: %j', async (field, body, detail) => {
  const before = await countUrls();
  const answer = await web.client().post('/api/v1/urls', { original_url: page, ...body });
  expect(answer).toBeProblem('validation-failed');
  expect(answer.body['errors']).toEqual([{ field, detail: expect.stringMatching(detail) }]);
  expect(answer.body['detail']).toContain(field);
  expect(await countUrls()).toBe(before);
});

test('all invalid fields are listed in one answer', async () => {
  const answer = await web
    .client()
    .post('/api/v1/urls', { custom_code: 'a', expires_in_hours: 0, colour: 1 });
  expect(answer).toBeProblem('validation-failed');
  const fields = (answer.body['errors'] as { field: string }[]).map((error) => error.field);
  expect(fields.toSorted()).toEqual(['colour', 'custom_code', 'expires_in_hours', 'original_url']);
});

test.each([
  { expires_at: '2099-01-01T00:00:00Z', expires_in_hours: 1 },
  { expires_in_seconds: 60, expires_in_hours: 1 },
])('several expiry fields answer 422 and name each: %j', async (body) => {
  const before = await countUrls();
  const answer = await web.client().post('/api/v1/urls', { original_url: page, ...body });
  expect(answer).toBeProblem('validation-failed');
  const fields = (answer.body['errors'] as { field: string }[]).map((error) => error.field);
  expect(fields.toSorted()).toEqual(Object.keys(body).toSorted());
  expect(await countUrls()).toBe(before);
});

test('a list as body answers 422', async () => {
  const answer = await web.client().post('/api/v1/urls', [page]);
  expect(answer).toBeProblem('validation-failed');
  expect(answer.body['errors']).toEqual([{ field: 'body', detail: 'must be a JSON object' }]);
});

test('reserved words are rejected as custom codes in any case', async () => {
  for (const word of [...reservedWords].filter((one) => one.length >= 4)) {
    for (const custom_code of [word, word.toUpperCase()]) {
      const answer = await web.client().post('/api/v1/urls', { original_url: page, custom_code });
      expect(answer.status, custom_code).toBe(422);
      expect(answer.body['errors']).toEqual([{ field: 'custom_code', detail: 'is a reserved word' }]);
    }
  }
});

test.each([
  '{',
  '{"original_url": "https://example.com/"',
  '"text"',
  'null',
  'undefined',
  '{"__proto__": {}}x',
])('malformed JSON answers 400: %s', async (text) => {
  const before = await countUrls();
  expect(await web.client().post('/api/v1/urls', text)).toBeProblem('malformed-json');
  expect(await countUrls()).toBe(before);
});

test.each(['text/plain', 'application/x-www-form-urlencoded', 'application/xml', 'nonsense'])(
  'a body of type %s answers 415',
  async (type) => {
    const before = await countUrls();
    const body = JSON.stringify({ original_url: page });
    const answer = await web.client().post('/api/v1/urls', body, { 'content-type': type });
    expect(answer).toBeProblem('unsupported-media-type');
    expect(await countUrls()).toBe(before);
  },
);

test('a body with an unknown encoding answers 415', async () => {
  const headers = { 'content-encoding': 'rot13' };
  expect(await web.client().post('/api/v1/urls', { original_url: page }, headers)).toBeProblem(
    'unsupported-media-type',
  );
});

test('an oversized body answers 413', async () => {
  const before = await countUrls();
  const answer = await web.client().post('/api/v1/urls', { original_url: page, note: 'a'.repeat(70_000) });
  expect(answer).toBeProblem('too-large');
  expect(await countUrls()).toBe(before);
});

test('a create without a body names the required field', async () => {
  const answer = await web.client().post('/api/v1/urls');
  expect(answer).toBeProblem('validation-failed');
  expect(answer.body['errors']).toEqual([{ field: 'original_url', detail: 'is required' }]);
});

test.each([
  ['no key', {}],
  ['an unknown key', { 'x-api-key': `lm_${'0'.repeat(12)}_${'a'.repeat(43)}` }],
  ['a key of another shape', { 'x-api-key': 'secret' }],
  ['a basic login', { authorization: 'Basic YWRtaW46c2VjcmV0' }],
  ['an empty bearer', { authorization: 'Bearer ' }],
])('a request with %s answers 401', async (_, headers) => {
  const before = await countUrls();
  const answer = await web.client(null).post('/api/v1/urls', { original_url: page }, headers);
  expect(answer).toBeProblem('unauthorized');
  expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="linkmill"');
  expect(await countUrls()).toBe(before);
});

test('a key is accepted in x-api-key and Authorization until it is revoked', async () => {
  const apiKeys = createApiKeys(web.database.db());
  const { id, key } = await apiKeys.create('for a moment');
  const headerSets: Record<string, string>[] = [
    { 'x-api-key': key },
    { authorization: `Bearer ${key}` },
    { authorization: `bearer ${key}` },
  ];
  const post = async (headers: Record<string, string>) =>
    (await web.client(null).post('/api/v1/urls', { original_url: page }, headers)).status;
  expect(await Promise.all(headerSets.map(post))).toEqual([201, 201, 201]);
  await apiKeys.revoke(id);
  const isRejected = async () => (await Promise.all(headerSets.map(post))).every((status) => status === 401);
  await waitUntil('the revoked API key is rejected within 2 s', isRejected, 2_200);
});

test.each([
  ['PUT', '/api/v1/urls', 'POST'],
  ['POST', '/api/v1/urls/abcd', 'DELETE'],
  ['DELETE', '/api/v1/urls/abcd/stats', 'GET'],
  ['DELETE', '/api/v1/codes', 'GET'],
  ['PUT', '/api/v1/jobs/flush-clicks', 'POST'],
  ['POST', '/health', 'GET'],
  ['PATCH', '/', 'GET'],
])('%s %s answers 405 with Allow', async (method, path, allowed) => {
  const answer = await web.client().request(method, path);
  expect(answer).toBeProblem('method-not-allowed');
  expect(answer.headers.get('allow')?.split(/, */)).toContain(allowed);
});

test.each(['/api/v1/nothing', '/api', '/api/v2/urls', '/api/v1/urls/abcd/more'])(
  'the unknown path %s answers 404',
  async (path) => {
    expect(await web.client().get(path)).toBeProblem('not-found');
  },
);

test.each(['unknown1', 'abc', 'a'.repeat(33), '%00%00%00%00', 'ab%2Fcd', '%E0%A4%A', 'admin'])(
  'the unknown code %s answers 404 for get, stats and delete',
  async (code) => {
    expect(await web.client().get(`/api/v1/urls/${code}`)).toBeProblem('not-found');
    expect(await web.client().get(`/api/v1/urls/${code}/stats`)).toBeProblem('not-found');
    expect(await web.client().delete(`/api/v1/urls/${code}`)).toBeProblem('not-found');
  },
);

test('a taken custom code answers 409', async () => {
  await createUrl({ custom_code: 'taken-1' });
  const second = { original_url: 'https://example.com/second', custom_code: 'taken-1' };
  expect(await web.client().post('/api/v1/urls', second)).toBeProblem('code-taken');
  expect((await web.client(null).get('/taken-1')).headers.get('location')).toBe(page);
});

test('custom codes are case-sensitive', async () => {
  await createUrl({ custom_code: 'CaseD' });
  await createUrl({ custom_code: 'cased', original_url: 'https://example.com/lower' });
  expect((await web.client(null).get('/CaseD')).headers.get('location')).toBe(page);
  expect((await web.client(null).get('/cased')).headers.get('location')).toBe('https://example.com/lower');
});

test('an expired short URL answers 410 for get and stats, and can be deleted', async () => {
  const { short_code } = await createUrl({ expires_in_hours: 1 });
  await web.database
    .db()('urls')
    .where({ short_code })
    .update({ expires_at: new Date(0) });
  expect(await web.client().get(`/api/v1/urls/${short_code}`)).toBeProblem('expired');
  expect(await web.client().get(`/api/v1/urls/${short_code}/stats`)).toBeProblem('expired');
  expect((await web.client().delete(`/api/v1/urls/${short_code}`)).status).toBe(204);
  expect(await web.client().get(`/api/v1/urls/${short_code}`)).toBeProblem('not-found');
});

test('of 20 concurrent creates of a custom code one succeeds', async () => {
  const answers = await Promise.all(
    Array.from({ length: 20 }, async (_, i) => {
      const body = { original_url: `${page}/${i}`, custom_code: 'contested' };
      return await web.client().post('/api/v1/urls', body);
    }),
  );
  expect(answers.map((answer) => answer.status).toSorted((a, b) => a - b)).toEqual([
    201,
    ...Array(19).fill(409),
  ]);
  const winner = answers.find((answer) => answer.status === 201)!.body['original_url'];
  expect((await web.client(null).get('/contested')).headers.get('location')).toBe(winner);
});

test('every spelling of an API path requires a key', async () => {
  const code = String(
    (await web.client().post('/api/v1/urls', { original_url: 'https://example.com/' })).body['short_code'],
  );
  const paths = [
    `/urls/${code}`,
    `/urls/${code}/stats`,
    '/codes',
    '/urls',
    '/jobs/flush-clicks',
    '/jobs/flush-clicks/1',
  ];
  const prefixes = ['/api/v1', '/API/v1', '/api/V1', '/Api/V1', '/api/v1/', '//api/v1', '/%61pi/v1'];
  for (const path of paths) {
    for (const prefix of prefixes) {
      for (const spelling of [
        prefix + path,
        prefix + path.toUpperCase().replace(code.toUpperCase(), code),
        `${prefix}${path}/`,
      ]) {
        for (const method of ['GET', 'POST', 'DELETE']) {
          const { status } = await web.client(null).request(method, spelling);
          expect([401, 404, 405], `${method} ${spelling}`).toContain(status);
        }
      }
    }
  }
  expect((await web.client(null).get(`/${code}`)).status).toBe(301);
});
