import { expect, test } from 'vitest';
import { resultsOf } from '../support/http/bulk.ts';
import { useWeb } from '../support/http/web-app.ts';
import { waitUntil } from '../support/wait-until.ts';

const web = useWeb({ MAX_API_REQUESTS: '50' });
/** A password takes a quarter of a second of a processor that others use too. */
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
  'more passwords than can be hashed soon are answered 503 with Retry-After, and a visitor opens with hers meanwhile',
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
    await waitUntil('the first is refused', () => waiting < 40);
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

test(
  'many with passwords in one request are all made, and a single one among them does not wait for all',
  patience,
  async () => {
    const client = web.client();
    const many = client.post('/api/v1/urls/bulk', { urls: withPassword('many', 40) });
    await waitUntil('the first is made', async () => (await count('many')) > 0);
    expect((await client.post('/api/v1/urls', withPassword('single', 1)[0])).status).toBe(201);
    expect(await count('many')).toBeLessThan(20);
    expect(new Set(resultsOf(await many).map(({ status }) => status))).toEqual(new Set([201]));
  },
);

test('what a client has asked for and does not wait for is not gone on with', patience, async () => {
  const ending = new AbortController();
  const sent = fetch(`${web.baseUrl()}/api/v1/urls/bulk`, {
    method: 'POST',
    headers: { 'x-api-key': web.apiKey(), 'content-type': 'application/json' },
    body: JSON.stringify({ urls: withPassword('gone', 40) }),
    signal: ending.signal,
  });
  await waitUntil('the first is made', async () => (await count('gone')) > 0);
  ending.abort();
  await expect(sent).rejects.toThrow('aborted');
  // One that comes later is hashed later.
  expect((await web.client().post('/api/v1/urls', withPassword('later', 1)[0])).status).toBe(201);
  const made = await count('gone');
  for (let i = 0; i < 5; i++)
    expect((await web.client().post('/api/v1/urls', withPassword(`later${i}`, 1)[0])).status).toBe(201);
  expect(await count('gone')).toBe(made);
});
