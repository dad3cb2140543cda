import { beforeAll, expect, test } from 'vitest';
import { useWeb } from '../../support/http/web-app.ts';
import { createUrl } from '../../support/urls/urls.ts';

const web = useWeb({ RATE_LIMIT_PER_KEY: '1000' });

let code: string;
beforeAll(async () => {
  code = await createUrl(web.client());
});

const remainingOf = ({ headers }: { headers: Headers }) => Number(headers.get('ratelimit-remaining'));

/** The number of requests that this request counts as. */
async function weigh(send: () => Promise<{ status: number; headers: Headers }>): Promise<number> {
  const before = remainingOf(await web.client().get(`/api/v1/urls/${code}`));
  const answer = await send();
  expect(answer.status).toBe(200);
  return before - remainingOf(answer);
}

test.each([
  ['format=svg&size=2048', 1],
  ['format=png', 1],
  ['format=png&size=257', 2],
  ['format=png&size=2048', 8],
])('a QR code with %s counts as %i requests', async (query, weight) => {
  const send = async () =>
    await fetch(`${web.baseUrl()}/api/v1/urls/${code}/qr?${query}`, {
      headers: { 'x-api-key': web.apiKey() },
    });
  expect(await weigh(send)).toBe(weight);
});

test('a dry run of an import counts as a bulk request of 1,000 rows', async () => {
  const csv = 'original_url\nhttps://example.com/\n';
  const preview = async () =>
    await web.client().post('/api/v1/imports?dry_run=true', csv, { 'content-type': 'text/csv' });
  expect(await weigh(preview)).toBe(100);
});

test('a bulk request counts by items, or by length if that is more', async () => {
  const url = (length: number) => ({ original_url: `https://example.com/${'x'.repeat(length)}` });
  const bulk = async (urls: unknown[]) => await web.client().post('/api/v1/urls/bulk', { urls });
  expect(await weigh(() => bulk(Array.from({ length: 30 }, () => url(10))))).toBe(3);
  expect(await weigh(() => bulk(Array.from({ length: 100 }, () => url(2_000))))).toBe(13);
});
