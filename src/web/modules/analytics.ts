import { createClickFeedStore } from '../../analytics/feed/feed-store.ts';
import { createClickFeed } from '../../analytics/feed/feed.ts';
import { createAnalytics } from '../../analytics/query/analytics.ts';
import { createAnalyticsSnapshot } from '../../analytics/query/snapshot.ts';
import { createTopUrls } from '../../analytics/query/top-urls.ts';
import { createUnknownCodeDays } from '../../analytics/query/unknown-code-days.ts';
import { createClickEraser } from '../../analytics/rollups/erase-clicks.ts';
import { createClickEvents } from '../../http/api/click-event-stream.ts';
import { abandonPostgres, closePostgres, type Knex, openPostgres } from '../../storage/postgres/postgres.ts';
import { createProbing, type CircuitBreakers } from '../stores/circuit-breakers.ts';
import type { WebContext } from '../stores/context.ts';

/** Questions that are answered at once, each on a connection of its own: redirects and creates never wait for one. */
const maxQuestions = 2;

/** Longest time that PostgreSQL works on one statement; when it hangs it is given up a moment later. */
const questionTimeoutMs = 4_000;
const patienceMs = 1_000;

/** Longest that a step of a removal waits for the server, which gives up by itself. */
const removalTimeoutMs = 31_000;

/** How often new clicks are looked for while somebody reads their stream. */
const pollMs = 500;

/** Analytics as a web process gives them. */
export function openAnalytics(
  { config, log, closing, postgresMetrics }: WebContext,
  shared: { db: Knex; breakers: CircuitBreakers },
) {
  const probing = createProbing(shared);
  const db = closing.defer(
    'postgres (analytics)',
    openPostgres({
      url: config.DATABASE_URL,
      poolMax: maxQuestions,
      queryTimeoutMs: questionTimeoutMs + patienceMs,
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
  const read = probing(createAnalyticsSnapshot(db, questionTimeoutMs));
  const { begin, feed } = createClickFeed({ store: createClickFeedStore(clicksDb), pollMs, log });
  return {
    analytics: createAnalytics(read),
    clickLists: { ...createTopUrls(read), ...createUnknownCodeDays(read) },
    clickEraser: { erase: probing(createClickEraser(clicksDb).erase) },
    clickEvents: createClickEvents({
      feed: { begin: probing(begin), feed },
      maxStreams: config.MAX_CLICK_STREAMS,
      log,
    }),
  };
}
