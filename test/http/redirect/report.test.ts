import { expect, test } from 'vitest';
import { submit, visit } from '../../support/clicks/visitor.ts';
import { readPages } from '../../support/http/pages.ts';
import { useWeb } from '../../support/http/web-app.ts';
import { insertRestrictedUrl } from '../../support/urls/restricted-urls.ts';
import { createUrl } from '../../support/urls/urls.ts';

const web = useWeb({ TRUSTED_PROXY_HOPS: '1' });
const db = () => web.database.db();

let visitors = 0;
/** The header of a client that has not sent a report yet. */
const somebody = () => ({ 'x-forwarded-for': `198.51.100.${(visitors += 1)}` });

const report = async (body: Record<string, unknown>, headers: Record<string, string> = somebody()) =>
  await web.client(null).post('/report', body, { accept: 'application/json', ...headers });
const list = async (query = '') =>
  (await web.client().get(`/api/v1/reports${query}`)).body as {
    items: Record<string, unknown>[];
    next_cursor: string | null;
  };
const close = async (id: unknown, body = {}) =>
  await web.client().post(`/api/v1/reports/${String(id)}/close`, body);
const ofCode = async (code: string) =>
  (await list('?state=all&limit=200')).items.filter(({ short_code }) => short_code === code);

test('the preview links to a report form with the short code filled in', async () => {
  const code = await createUrl(web.client());
  const { text: preview } = await visit(`${web.baseUrl()}/${code}+`);
  const [, href = ''] = /href="(\/report\?code=[^"]+)"/.exec(preview) ?? [];
  const page = await visit(web.baseUrl() + href, { headers: somebody() });
  expect(page.text).toContain(`value="${code}"`);
  const fields = { short_code: code, reason: 'phishing', comment: 'It asks\r\nfor my <b>password</b>' };
  const { status, text } = await submit(`${web.baseUrl()}/report`, fields, somebody());
  expect(status).toBe(202);
  expect(text).toContain('Thank you');
  expect(await ofCode(code)).toEqual([
    {
      id: expect.any(Number),
      short_code: code,
      original_url: 'https://example.com/page',
      reason: 'phishing',
      comment: 'It asks\nfor my <b>password</b>',
      created_at: expect.any(String),
      closed_at: null,
      closed_by: null,
    },
  ]);
});

test('a short code in the query of the report form is escaped', async () => {
  const hostile = '"><script>alert(1)</script>';
  const { text } = await visit(`${web.baseUrl()}/report?code=${encodeURIComponent(hostile)}&code=x`);
  expect(text).not.toContain('<script>');
});

test('a blank field of the report form is absent', async () => {
  const code = await createUrl(web.client());
  const send = async (fields: Record<string, string>) =>
    await submit(`${web.baseUrl()}/report`, { reason: 'spam', ...fields }, somebody());
  expect((await send({ short_code: code, comment: ' \r\n' })).status).toBe(202);
  expect(await ofCode(code)).toMatchObject([{ comment: null }]);
  expect((await send({ short_code: '' })).status).toBe(422);
});

test('a report as JSON answers 202', async () => {
  const code = await createUrl(web.client());
  const answer = await report({ short_code: code, reason: 'spam' });
  expect(answer.status).toBe(202);
  expect(answer.body).toEqual({ status: 'received' });
});

test.each([
  [{ reason: 'spam' }, 422, 'short_code'],
  [{ short_code: 'x', reason: 'dislike' }, 422, 'reason'],
  [{ short_code: 'x', reason: 'spam', comment: 'a'.repeat(1_001) }, 422, 'comment'],
  [{ short_code: 'x', reason: 'spam', comment: 'a\u0000b' }, 422, 'comment'],
  [{ short_code: 'x', reason: 'spam', email: 'me@example.com' }, 422, 'email'],
])('a report that breaks a rule is rejected with its field: %#', async (body, status, field) => {
  const answer = await report(body);
  expect(answer.status).toBe(status);
  expect((answer.body['errors'] as { field: string }[]).map((error) => error.field)).toEqual([field]);
});

test('a short URL that does not exist cannot be reported', async () => {
  const disabled = await insertRestrictedUrl(db(), { isActive: false });
  for (const code of ['unknown-1', 'api', '../x', disabled])
    expect((await report({ short_code: code, reason: 'spam' })).status).toBe(404);
});

test('a report form of another site is rejected', async () => {
  const code = await createUrl(web.client());
  const from = { ...somebody(), origin: 'https://evil.example' };
  const { status } = await submit(`${web.baseUrl()}/report`, { short_code: code, reason: 'spam' }, from);
  expect(status).toBe(403);
  expect(await ofCode(code)).toEqual([]);
});

test('one address can send ten reports an hour, whatever its headers', async () => {
  const code = await createUrl(web.client());
  const one = somebody();
  const answers: Awaited<ReturnType<typeof report>>[] = [];
  for (let i = 0; i < 12; i++) {
    const spoofed = { 'x-forwarded-for': `10.0.0.${i}, ${one['x-forwarded-for']}` };
    answers.push(await report({ short_code: code, reason: 'spam' }, spoofed));
  }
  expect(answers.map(({ status }) => status)).toEqual([...Array.from({ length: 10 }, () => 202), 429, 429]);
  expect(Number(answers.at(-1)!.headers.get('retry-after'))).toBeGreaterThan(3_000);
  expect((await report({ short_code: code, reason: 'spam' })).status).toBe(202);
});

test('a short URL has at most twenty open reports', async () => {
  const code = await createUrl(web.client());
  for (let i = 0; i < 25; i++) expect((await report({ short_code: code, reason: 'spam' })).status).toBe(202);
  const open = await ofCode(code);
  expect(open).toHaveLength(20);
  await close(open[0]!['id']);
  await report({ short_code: code, reason: 'other' });
  await report({ short_code: code, reason: 'other' });
  expect(await ofCode(code)).toHaveLength(21);
});

test('closing a report can disable the short URL and block its host, repeatably', async () => {
  const code = await createUrl(web.client(), { original_url: 'https://www.phish.example/login' });
  await report({ short_code: code, reason: 'phishing' });
  const [{ id } = {}] = await ofCode(code);
  const measures = { disable_url: true, block_host: true };
  const closed = await close(id, measures);
  expect(closed.body).toMatchObject({ id, closed_at: expect.any(String), closed_by: expect.any(Number) });
  expect((await close(id, measures)).body).toEqual(closed.body);
  expect((await web.client(null).get(`/${code}`)).status).toBe(404);
  const other = await web.client().post('/api/v1/urls', { original_url: 'https://a.www.phish.example/' });
  expect(other.status).toBe(422);
  expect((await list()).items.map((report) => report['id'])).not.toContain(id);
  expect((await list('?state=closed')).items.map((report) => report['id'])).toContain(id);
});

test('a report stays open and unchanged if its host cannot be blocked', async () => {
  const code = await createUrl(web.client(), { original_url: 'https://x!.phish.example/login' });
  await report({ short_code: code, reason: 'phishing' });
  const [{ id } = {}] = await ofCode(code);
  const refused = await close(id, { disable_url: true, block_host: true });
  expect(refused.status).toBe(422);
  expect(refused.body['errors']).toEqual([
    { field: 'block_host', detail: expect.stringContaining('Block a parent domain instead') },
  ]);
  expect((await web.client(null).get(`/${code}`)).status).toBe(301);
  expect((await list()).items.map((open) => open['id'])).toContain(id);
  expect((await close(id, { disable_url: true })).status).toBe(200);
});

test('a report of a purged short URL can be closed', async () => {
  const code = await createUrl(web.client());
  await report({ short_code: code, reason: 'illegal' });
  await web.client().delete(`/api/v1/urls/${code}`);
  const [{ id } = {}] = await ofCode(code);
  const { status } = await close(id, { disable_url: true });
  expect(status).toBe(200);
});

test('reports are listed by page, the latest first, and an unknown one answers 404', async () => {
  const all = (await list('?state=all&limit=200')).items.map(({ id }) => id);
  const { items } = await readPages(web.client(), '/api/v1/reports?state=all&limit=7');
  expect(items.map(({ id }) => id)).toEqual(all);
  expect(all).toEqual(all.toSorted((a, b) => Number(b) - Number(a)));
  expect((await close(999_999_999)).status).toBe(404);
});
