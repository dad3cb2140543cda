import { afterEach, expect, test, vi } from 'vitest';
import { openClickStore } from '../../../../src/analytics/click-store.ts';
import { createClickFeedStore } from '../../../../src/analytics/feed/feed-store.ts';
import { createClickFeed } from '../../../../src/analytics/feed/feed.ts';
import { createClickEvents } from '../../../../src/http/api/analytics/click-event-stream.ts';
import { makeDetail, makeDetailedBatch } from '../../../support/clicks/analytics.ts';
import { createUrlIds } from '../../../support/clicks/clicks.ts';
import { silentLog, useDatabase } from '../../../support/resources.ts';
import { waitUntil } from '../../../support/wait-until.ts';

const { db } = useDatabase();

afterEach(() => {
  vi.restoreAllMocks();
});

test('the event of a click is formatted once for all readers', async () => {
  const [urlId] = (await createUrlIds(db(), 1)) as [number];
  const feed = createClickFeed({ store: createClickFeedStore(db()), pollMs: 10, log: silentLog });
  const streams = createClickEvents({ feed, maxStreams: 10, log: silentLog });
  const received = Array.from({ length: 8 }, () => '');
  for (const i of received.keys()) {
    const body = await streams.open({ owner: null }, { after: undefined, isStillAllowed: async () => true });
    body.on('data', (part) => (received[i] += String(part)));
  }
  const stringify = vi.spyOn(JSON, 'stringify');
  const details = Array.from({ length: 50 }, (_, visitor) => makeDetail({ visitor }));
  const clicks = details.map((detail) => ({ urlId, count: 1, lastAtMs: Date.now(), detail }));
  await openClickStore(db()).apply([makeDetailedBatch(clicks)]);
  const countEvents = (text: string) => text.split('event: click').length - 1;
  await waitUntil('every client has received 50 events', () =>
    received.every((text) => countEvents(text) === 50),
  );
  const written = stringify.mock.calls.filter(([value]) => Object.hasOwn(Object(value), 'short_code'));
  expect(written).toHaveLength(50);
  streams.close();
});
