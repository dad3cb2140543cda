import { abandonPostgres, type Knex, openPostgres } from '../../storage/postgres/postgres.ts';
import { createBlockedHosts } from '../../urls/blocklist/blocklist.ts';
import { createHostBlocking } from '../../urls/blocklist/service.ts';
import { createBlockedHostStore } from '../../urls/blocklist/store.ts';
import { watchBlockedHosts } from '../../urls/blocklist/watch.ts';
import type { CircuitBreakers } from '../stores/circuit-breakers.ts';
import type { WebContext } from '../stores/context.ts';

/** The blocklist has its own connection, so that blocking a host never waits for requests or clicks. */
const listPool = { poolMax: 1, queryTimeoutMs: 2_000 };

/** The blocklist in memory with its poller, and the service that changes it. */
export function openBlockedHosts(
  { config, log, closing, postgresMetrics }: WebContext,
  deps: { db: Knex; breakers: CircuitBreakers; onChange: () => void },
) {
  const { db, breakers, onChange } = deps;
  const blocklistDb = closing.defer(
    'postgres (blocked hosts)',
    openPostgres({
      url: config.DATABASE_URL,
      ...listPool,
      name: 'web-blocked-hosts',
      metrics: postgresMetrics,
    }),
    abandonPostgres,
  );
  const blockedHosts = createBlockedHosts({ store: createBlockedHostStore(blocklistDb), onChange });
  const watch = closing.defer('blocked hosts', watchBlockedHosts(blockedHosts, log), ({ stop }) => stop());
  const hostBlocking = createHostBlocking({
    store: breakers.postgres.guard(createBlockedHostStore(db)),
    blockedHosts,
  });
  return { blockedHosts, hostBlocking, loadBlockedHosts: watch.poll, blocklistDb };
}
