import { expect, test } from 'vitest';
import { resultsOf } from '../support/http/bulk.ts';
import { useWeb } from '../support/http/web-app.ts';
import { waitUntil } from '../support/wait-until.ts';

const web = useWeb({ MAX_API_REQUESTS: '50' });
/** The hash of one password takes 0.25 s of processor time on a shared machine. */
const patience = { timeout: 120_000 };
const page = 'https://example.com/costly';
const withPassword = (begin: string, count: number) =>
  Array.from({ length: count }, (_, i) => ({
    original_url: page,
    custom_code: `${begin}-${i}`,
    password: 'open sesame',
  }));
const count = async (begin: string) =>
  (await web.database.db()('urls').whereLike('short_code', `${begin}-%`)).length;

test(
  'creates beyond the hashing capacity get 503 while a visitor still opens a password URL',
  patience,
  async () => {
    const client = web.client();
    await client.post('/api/v1/urls', withPassword('open', 1)[0]);
    let waiting = 40;
    const creates = withPassword('flood', 40).map(async (url) => {
      const answer = await client.post('/api/v1/urls', url);
      waiting -= 1;
      return answer;
    });
    await waitUntil('the first request is rejected', () => waiting < 40);
    const opened = await fetch(`${web.baseUrl()}/open-0`, {
      method: 'POST',
      body: new URLSearchParams({ password: 'open sesame' }),
      redirect: 'manual',
    });
    expect(opened.status).toBe(303);
    expect(waiting).toBeGreaterThan(5);

    const answers = await Promise.all(creates);
    const refused = answers.filter(({ status }) => status === 503);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.every(({ headers }) => headers.has('retry-after'))).toBe(true);
    expect(await count('flood')).toBe(40 - refused.length);
  },
);

test('a bulk create with passwords completes and does not block a single create', patience, async () => {
  const client = web.client();
  const many = client.post('/api/v1/urls/bulk', { urls: withPassword('many', 40) });
  await waitUntil('the first short URL is created', async () => (await count('many')) > 0);
  expect((await client.post('/api/v1/urls', withPassword('single', 1)[0])).status).toBe(201);
  expect(await count('many')).toBeLessThan(20);
  expect(new Set(resultsOf(await many).map(({ status }) => status))).toEqual(new Set([201]));
});

test('a bulk create stops when its client disconnects', patience, async () => {
  const ending = new AbortController();
  const sent = fetch(`${web.baseUrl()}/api/v1/urls/bulk`, {
    method: 'POST',
    headers: { 'x-api-key': web.apiKey(), 'content-type': 'application/json' },
    body: JSON.stringify({ urls: withPassword('aborted', 40) }),
    signal: ending.signal,
  });
  await waitUntil('the first short URL is created', async () => (await count('aborted')) > 0);
  ending.abort();
  await expect(sent).rejects.toThrow('aborted');
  // Passwords are hashed in the order of their requests.
  expect((await web.client().post('/api/v1/urls', withPassword('later', 1)[0])).status).toBe(201);
  const made = await count('aborted');
  for (let i = 0; i < 5; i++)
    expect((await web.client().post('/api/v1/urls', withPassword(`later${i}`, 1)[0])).status).toBe(201);
  expect(await count('aborted')).toBe(made);
});
