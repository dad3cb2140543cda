import { abandonPostgres, type Knex, openPostgres } from '../../storage/postgres/postgres.ts';
import { createSearchQuery } from '../../storage/postgres/search-query.ts';
import { createUrlLists } from '../../urls/search/list.ts';
import { createUrlSummaries } from '../../urls/search/summaries.ts';
import { createProbing, type CircuitBreakers } from '../stores/circuit-breakers.ts';
import type { WebContext } from '../stores/context.ts';

/** Searches that run at once, each on a connection of its own: redirects and creates never wait for one. */
const maxSearches = 2;

/** Longest time that PostgreSQL works on one search; when it hangs it is given up a moment later. */
const searchTimeoutMs = 4_000;
const patienceMs = 1_000;

export type Finding = ReturnType<typeof openSearch>;

/** Finding short URLs as a web process does it. */
export function openSearch(
  { config, closing, postgresMetrics }: WebContext,
  shared: { db: Knex; breakers: CircuitBreakers },
) {
  const db = closing.defer(
    'postgres (search)',
    openPostgres({
      url: config.DATABASE_URL,
      poolMax: maxSearches,
      queryTimeoutMs: searchTimeoutMs + patienceMs,
      name: 'web-search',
      metrics: postgresMetrics,
    }),
    abandonPostgres,
  );
  const search = createProbing(shared)(createSearchQuery(db, searchTimeoutMs));
  return { ...createUrlLists(search), ...createUrlSummaries(search) };
}
