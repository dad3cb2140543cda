import { abandonPostgres, type Knex, openPostgres } from '../../storage/postgres/postgres.ts';
import { createSearchQuery } from '../../storage/postgres/search-query.ts';
import { createUrlLists } from '../../urls/search/list.ts';
import { createUrlSummaries } from '../../urls/search/summaries.ts';
import { createProbe, type CircuitBreakers } from '../stores/circuit-breakers.ts';
import type { WebContext } from '../stores/context.ts';

/** Concurrent searches. Each uses a connection of its own pool, so redirects and creates never wait for one. */
const maxSearches = 2;

/** Statement time-out in PostgreSQL, and the extra time after which a hanging PostgreSQL is given up. */
const searchTimeoutMs = 4_000;
const marginMs = 1_000;

/** The search for short URLs, on connections of its own. */
export function openSearch(
  { config, closing, postgresMetrics }: WebContext,
  shared: { db: Knex; breakers: CircuitBreakers },
) {
  const db = closing.defer(
    'postgres (search)',
    openPostgres({
      url: config.DATABASE_URL,
      poolMax: maxSearches,
      queryTimeoutMs: searchTimeoutMs + marginMs,
      name: 'web-search',
      metrics: postgresMetrics,
    }),
    abandonPostgres,
  );
  const search = createProbe(shared)(createSearchQuery(db, searchTimeoutMs));
  return { ...createUrlLists(search), ...createUrlSummaries(search) };
}
