import type { Log } from '../../log.ts';
import { createBreaker, type StoreName } from '../../resilience/circuit-breaker.ts';
import { isPostgresUnavailable, isStatementFailure } from '../../storage/postgres/errors.ts';
import type { Knex } from '../../storage/postgres/postgres.ts';
import { isRedisUnavailable } from '../../storage/redis/errors.ts';

/** Longest time that a request waits for PostgreSQL. The deadlines of Redis are in the roles of its connections. */
export const postgresDeadlineMs = 2_000;

export type CircuitBreakers = ReturnType<typeof createCircuitBreakers>;

/** The circuit breakers that keep requests from waiting for an unavailable store. Clicks have their own. */
export function createCircuitBreakers(log: Log, { hasOwnCache }: { hasOwnCache: boolean }) {
  const redis = createRedisBreaker('Redis', log);
  return {
    postgres: createBreaker({
      store: 'PostgreSQL',
      isUnavailable: isPostgresUnavailable,
      isOfOneCall: isStatementFailure,
      // Low, because each failure may have taken the whole deadline, and creates in one statement fail together.
      failures: 2,
      openMs: 1_000,
      deadlineMs: postgresDeadlineMs,
      log,
    }),
    redis,
    /** Of cached short URLs; that of Redis unless the cache has a Redis of its own. */
    cache: hasOwnCache ? createRedisBreaker('Redis of the cache', log) : redis,
  };
}

const createRedisBreaker = (store: StoreName, log: Log) =>
  createBreaker({
    store,
    isUnavailable: isRedisUnavailable,
    // Redis may answer late on a busy machine: five failures are a quarter of a second under load.
    failures: 5,
    openMs: 500,
    log,
  });

/** Guards calls that may take longer than the deadline of the breaker: each first probes PostgreSQL with a short statement, so that it fails
 *  as fast as other calls while PostgreSQL is unavailable. */
export const createProbe =
  ({ db, breakers }: { db: Knex; breakers: CircuitBreakers }) =>
  <Call extends (...args: never[]) => Promise<unknown>>(call: Call): Call =>
    (async (...args: never[]) => {
      await breakers.postgres.run(async () => await db.raw('select 1'));
      return await call(...args);
    }) as Call;
