import { abandonPostgres, type Knex, openPostgres } from '../../storage/postgres/postgres.ts';
import type { OpenReplica } from '../../storage/reads/open-replica.ts';
import type { ReadPool } from '../../storage/reads/read-pool.ts';
import type { CircuitBreakers } from './circuit-breakers.ts';
import type { WebContext } from './context.ts';

/** The extra time after which a hanging PostgreSQL is given up. */
const marginMs = 1_000;

/** Opens a pool for reads that may take longer than the deadline of PostgreSQL's breaker: each first asks the primary, with a short statement,
 *  so that it fails as fast as other calls while PostgreSQL is unavailable. With a standby, a second pool reads from it. */
export function openReadPool(
  { config, closing, postgresMetrics }: WebContext,
  { db, breakers, replica }: { db: Knex; breakers: CircuitBreakers; replica: OpenReplica | undefined },
  { name, poolMax, statementTimeoutMs }: { name: string; poolMax: number; statementTimeoutMs: number },
): ReadPool {
  const queryTimeoutMs = statementTimeoutMs + marginMs;
  const primary = closing.defer(
    `postgres (${name})`,
    openPostgres({
      url: config.DATABASE_URL,
      poolMax,
      queryTimeoutMs,
      name: `web-${name}`,
      metrics: postgresMetrics,
    }),
    abandonPostgres,
  );
  if (replica) return replica.openReadPool(primary, { name, poolMax, queryTimeoutMs });
  return async (read) => {
    await breakers.postgres.run(async () => await db.raw('select 1'));
    return await read(primary, async () => undefined);
  };
}
