import { createClickFeedStore } from '../../analytics/feed/feed-store.ts';
import { createClickFeed } from '../../analytics/feed/feed.ts';
import { createAnalytics } from '../../analytics/query/analytics.ts';
import { createAnalyticsSnapshot } from '../../analytics/query/snapshot.ts';
import { createTopUrls } from '../../analytics/query/top-urls.ts';
import { createUnknownCodeDays } from '../../analytics/query/unknown-code-days.ts';
import { createUrlTrends } from '../../analytics/query/url-trends.ts';
import { createClickEraser } from '../../analytics/rollups/erase-clicks.ts';
import { createClickEvents } from '../../http/api/analytics/click-event-stream.ts';
import { abandonPostgres, closePostgres, type Knex, openPostgres } from '../../storage/postgres/postgres.ts';
import { createProbe, type CircuitBreakers } from '../stores/circuit-breakers.ts';
import type { WebContext } from '../stores/context.ts';

/** Concurrent queries. Each uses a connection of its own pool, so redirects and creates never wait for one. */
const maxQueries = 2;

/** Statement time-out in PostgreSQL, and the extra time after which a hanging PostgreSQL is given up. */
const statementTimeoutMs = 4_000;
const marginMs = 1_000;

/** Deadline of one step of a removal; longer than its statement time-out in PostgreSQL. */
const removalTimeoutMs = 31_000;

/** Polling interval for new clicks while a client reads the stream. */
const pollMs = 500;

/** Analytics, top lists, removal of clicks and the stream of click events, on connections of their own. */
export function openAnalytics(
  { config, log, closing, postgresMetrics }: WebContext,
  shared: { db: Knex; breakers: CircuitBreakers },
) {
  const probing = createProbe(shared);
  const db = closing.defer(
    'postgres (analytics)',
    openPostgres({
      url: config.DATABASE_URL,
      poolMax: maxQueries,
      queryTimeoutMs: statementTimeoutMs + marginMs,
      name: 'web-analytics',
      metrics: postgresMetrics,
    }),
    abandonPostgres,
  );
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
  const read = probing(createAnalyticsSnapshot(db, statementTimeoutMs));
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
