import type { Log } from '../../log.ts';
import { createBreaker } from '../../resilience/circuit-breaker.ts';
import { isPostgresUnavailable, isStatementFailure } from '../../storage/postgres/errors.ts';
import type { Knex } from '../../storage/postgres/postgres.ts';
import { isRedisUnavailable } from '../../storage/redis/errors.ts';

/** Longest time that a request waits for PostgreSQL. Those of Redis are in the role of its connection. */
export const postgresDeadlineMs = 2_000;

export type CircuitBreakers = ReturnType<typeof createCircuitBreakers>;

/** What keeps requests from waiting for a store that is away or hangs. Clicks have their own. */
export const createCircuitBreakers = (log: Log) => ({
  postgres: createBreaker({
    store: 'PostgreSQL',
    isUnavailable: isPostgresUnavailable,
    isOfOneCall: isStatementFailure,
    // Each may have taken the whole deadline, and creates that wait together fail as one.
    failures: 2,
    openMs: 1_000,
    deadlineMs: postgresDeadlineMs,
    log,
  }),
  redis: createBreaker({
    store: 'Redis',
    isUnavailable: isRedisUnavailable,
    // A busy machine may keep it from answering for a moment: that is a quarter of a second under load.
    failures: 5,
    openMs: 500,
    log,
  }),
});

/** Makes calls that may take longer than the breaker lets them fail as soon as all others while PostgreSQL is away or hangs: each is
 *  made once it has answered at all, on the connections of short statements. */
export const createProbing =
  ({ db, breakers }: { db: Knex; breakers: CircuitBreakers }) =>
  <Call extends (...args: never[]) => Promise<unknown>>(call: Call): Call =>
    (async (...args: never[]) => {
      await breakers.postgres.run(async () => await db.raw('select 1'));
      return await call(...args);
    }) as Call;
