import type { Knex } from '../../storage/postgres/postgres.ts';
import { rethrowTimeout } from '../../storage/postgres/statement-timeout.ts';
import type { ReadPool } from '../../storage/reads/read-pool.ts';

export type ReadAnalytics = <T>(work: (trx: Knex) => Promise<T>) => Promise<T>;

/** Runs statements on one snapshot of the analytics, and keeps partitions from being dropped meanwhile. Each
 *  statement ends within `timeoutMs`, or throws StatementTimeout. Concurrency is limited by the connections of the pool,
 *  which should be few; beyond that it throws Overloaded. Works through PgBouncer. */
export const createAnalyticsSnapshot =
  (pool: ReadPool, timeoutMs: number): ReadAnalytics =>
  async (work) => {
    try {
      return await pool(
        async (db, check) =>
          await db.transaction(
            async (trx) => {
              await check(trx);
              // First of all: a later drop of a partition waits, and an earlier one has already moved the retention
              // limit.
              await trx.raw(`set local statement_timeout = ${timeoutMs}; set local work_mem = '64MB';
                         lock table only url_analytics in access share mode`);
              return await work(trx);
            },
            { isolationLevel: 'repeatable read', readOnly: true },
          ),
      );
    } catch (error) {
      return rethrowTimeout(error, 'The query took too long. Use a shorter range or fewer details.');
    }
  };
