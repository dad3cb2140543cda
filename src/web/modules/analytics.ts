import { createClickFeedStore } from '../../analytics/feed/feed-store.ts';
import { createClickFeed } from '../../analytics/feed/feed.ts';
import { createAnalytics } from '../../analytics/query/analytics.ts';
import { createAnalyticsSnapshot } from '../../analytics/query/snapshot.ts';
import { createTopUrls } from '../../analytics/query/top-urls.ts';
import { createUnknownCodeDays } from '../../analytics/query/unknown-code-days.ts';
import { createUrlTrends } from '../../analytics/query/url-trends.ts';
import { createClickEraser } from '../../analytics/rollups/erase-clicks.ts';
import { createClickEvents } from '../../http/api/analytics/click-event-stream.ts';
import { closePostgres, openPostgres } from '../../storage/postgres/postgres.ts';
import { createProbe } from '../stores/circuit-breakers.ts';
import type { WebContext } from '../stores/context.ts';
import { openReadPool } from '../stores/read-pools.ts';
import type { Stores } from '../stores/stores.ts';

/** Concurrent queries. Each uses a connection of its own pool, so redirects and creates never wait for one. */
const maxQueries = 2;

/** Statement time-out in PostgreSQL. */
const statementTimeoutMs = 4_000;

/** Deadline of one step of a removal; longer than its statement time-out in PostgreSQL. */
const removalTimeoutMs = 31_000;

/** Polling interval for new clicks while a client reads the stream. */
const pollMs = 500;

/** Analytics, top lists, removal of clicks and the stream of click events, on connections of their own. */
export function openAnalytics(web: WebContext, shared: Pick<Stores, 'db' | 'breakers' | 'replica'>) {
  const { config, log, closing, postgresMetrics } = web;
  const probing = createProbe(shared);
  const pool = openReadPool(web, shared, { name: 'analytics', poolMax: maxQueries, statementTimeoutMs });
  const clicksDb = closing.defer(
    'postgres (single clicks)',
    openPostgres({
      url: config.DATABASE_URL,
      poolMax: 2,
      queryTimeoutMs: removalTimeoutMs,
      name: 'web-single-clicks',
      metrics: postgresMetrics,
    }),
    closePostgres,
  );
  const read = createAnalyticsSnapshot(pool, statementTimeoutMs);
  const { begin, feed } = createClickFeed({ store: createClickFeedStore(clicksDb), pollMs, log });
  return {
    analytics: createAnalytics(read),
    urlTrends: createUrlTrends(read),
    clickLists: { ...createTopUrls(read), ...createUnknownCodeDays(read) },
    clickEraser: { erase: probing(createClickEraser(clicksDb).erase) },
    clickEvents: createClickEvents({
      feed: { begin: probing(begin), feed },
      maxStreams: config.MAX_CLICK_STREAMS,
      log,
    }),
  };
}
