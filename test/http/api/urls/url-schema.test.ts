import { expect, test } from 'vitest';
import { resultsOf } from '../../../support/http/bulk.ts';
import { useWeb } from '../../../support/http/web-app.ts';

const web = useWeb();

test('every operation answers a short URL with the same fields and its click count', async () => {
  const client = web.client();
  const input = { original_url: 'https://example.com/page', custom_code: 'counted' };
  const created = await client.post('/api/v1/urls', input);
  expect(created.body).toMatchObject({ click_count: 0, last_accessed_at: null });
  await web.database
    .db()('url_stats')
    .where({ url_id: created.body['id'] as number })
    .update({ click_count: 7, last_accessed_at: new Date('2026-11-20T12:00:00Z') });
  const counted = { id: created.body['id'], click_count: 7, last_accessed_at: '2026-11-20T12:00:00.000Z' };

  const path = '/api/v1/urls/counted';
  const updated = await client.patch(path, { title: 'Title' });
  const renamed = await client.patch(path, { short_code: 'renamed', keep_old_code: true });
  const bulkUpdate = { short_codes: ['renamed'], changes: { title: null } };
  const [bulkUpdated] = resultsOf(await client.post('/api/v1/urls/bulk/change', bulkUpdate));
  await client.patch('/api/v1/urls/renamed', { short_code: 'counted', keep_old_code: false });
  const found = await client.post('/api/v1/urls', { ...input, find_if_exists: true });
  const [bulkFound] = resultsOf(
    await client.post('/api/v1/urls/bulk', { urls: [{ ...input, find_if_exists: true }] }),
  );
  await client.delete(path);
  const restored = await client.post(`${path}/restore`);
  await client.delete(path);
  const replaced = await client.post('/api/v1/urls', { ...input, restore_deleted: true });
  const read = await client.get(path);
  const listed = await client.get('/api/v1/urls');

  const answers = [updated, renamed, found, restored, replaced, read].map(({ body }) => body);
  const items = listed.body['items'] as Record<string, unknown>[];
  const urls = [...answers, bulkUpdated!.url!, bulkFound!.url!, ...items];
  const fields = Object.keys(created.body).toSorted();
  for (const url of urls) {
    expect(url).toMatchObject(counted);
    expect(Object.keys(url).toSorted()).toEqual(fields);
  }
});
