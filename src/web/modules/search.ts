import { createSearchQuery } from '../../storage/reads/search-query.ts';
import type { WebContext } from '../stores/context.ts';
import { openReadPool } from '../stores/read-pools.ts';
import type { Stores } from '../stores/stores.ts';

/** Concurrent searches. Each uses a connection of its own pool, so redirects and creates never wait for one. */
const maxSearches = 2;

/** Statement time-out in PostgreSQL. */
const searchTimeoutMs = 4_000;

/** Searches of short URLs, on connections of their own. */
export function openSearch(web: WebContext, stores: Pick<Stores, 'db' | 'breakers' | 'replica'>) {
  const pool = openReadPool(web, stores, {
    name: 'search',
    poolMax: maxSearches,
    statementTimeoutMs: searchTimeoutMs,
  });
  return createSearchQuery(pool, searchTimeoutMs);
}
