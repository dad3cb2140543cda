import { abandonPostgres, type Knex, openPostgres } from '../../storage/postgres/postgres.ts';
import { createSearchQuery } from '../../storage/postgres/search-query.ts';
import { createProbe, type CircuitBreakers } from '../stores/circuit-breakers.ts';
import type { WebContext } from '../stores/context.ts';

/** Concurrent searches. Each uses a connection of its own pool, so redirects and creates never wait for one. */
const maxSearches = 2;

/** Statement time-out in PostgreSQL, and the extra time after which a hanging PostgreSQL is given up. */
const searchTimeoutMs = 4_000;
const marginMs = 1_000;

/** Searches of short URLs, on connections of their own. */
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
  return createProbe(shared)(createSearchQuery(db, searchTimeoutMs));
}
