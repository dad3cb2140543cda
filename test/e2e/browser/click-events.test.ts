import { expect, test } from 'vitest';
import { openClickStore } from '../../../src/analytics/click-store.ts';
import { makeDetail, makeDetailedBatch } from '../../support/clicks/analytics.ts';
import { openClickEvents } from '../../support/clicks/click-events.ts';
import { useWeb } from '../../support/http/web-app.ts';
import { waitUntil } from '../../support/wait-until.ts';

const web = useWeb({ MAX_CLICK_STREAMS: '2' });
const url = () => `${web.baseUrl()}/api/v1/clicks/stream`;
const headers = () => ({ 'x-api-key': web.apiKey() });

/** Opens and closes one more stream; resolves to its status. */
async function readStatus(): Promise<number> {
  const response = await fetch(url(), { headers: headers() });
  await response.body!.cancel();
  return response.status;
}

test('a stalled reader is disconnected while another reader receives every click', async () => {
  const { body } = await web.client().post('/api/v1/urls', { original_url: 'https://example.com/' });
  const slow = await openClickEvents(url(), headers());
  slow.response.pause();
  const quick = await openClickEvents(url(), headers());
  const referrer = `${'long.'.repeat(45)}example`;
  const clicks = Array.from({ length: 5_000 }, (_, i) => ({
    urlId: Number(body['id']),
    count: 1,
    lastAtMs: Date.now(),
    detail: makeDetail({ visitor: i + 1, referrer }),
  }));
  let counted = 0;
  while ((await readStatus()) === 503) {
    await openClickStore(web.database.db()).apply([makeDetailedBatch(clicks)]);
    counted += clicks.length;
    await waitUntil('the fast client has all events', () => quick.countEvents() === counted, 20_000);
  }
  expect(quick.isOver()).toBe(false);
  slow.response.resume();
  await waitUntil('the slow client is disconnected', () => slow.isOver());
  quick.close();
});
