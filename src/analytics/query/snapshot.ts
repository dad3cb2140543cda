import type { Knex } from '../../storage/postgres/postgres.ts';
import { rethrowTimeout } from '../../storage/postgres/statement-timeout.ts';

export type ReadAnalytics = <T>(work: (trx: Knex) => Promise<T>) => Promise<T>;

/** Runs statements that see the analytics as they are at one moment, and no partition go meanwhile. Each ends within `timeoutMs`,
 *  with StatementTimeout if need be, and as many run at once as `db` has connections, which should be few; then Overloaded. Holds
 *  through PgBouncer. */
export const createAnalyticsSnapshot =
  (db: Knex, timeoutMs: number): ReadAnalytics =>
  async (work) => {
    try {
      return await db.transaction(
        async (trx) => {
          // Before anything is looked at: a partition that is dropped later waits, one that was dropped before has moved the limit.
          await trx.raw(`set local statement_timeout = ${timeoutMs}; set local work_mem = '64MB';
                         lock table only url_analytics in access share mode`);
          return await work(trx);
        },
        { isolationLevel: 'repeatable read', readOnly: true },
      );
    } catch (error) {
      return rethrowTimeout(error, 'The analytics took too long. Ask for a shorter time, or less of it.');
    }
  };
