import knex from 'knex';
import type { Knex } from '../postgres.ts';
import { SearchTooSlow } from '../urls/bounded-search.ts';
import { Overloaded } from '../urls/url.ts';

export type ReadAnalytics = <T>(work: (trx: Knex) => Promise<T>) => Promise<T>;

/** Runs statements that see the analytics as they are at one moment, and no partition go meanwhile. Each ends within `timeoutMs`,
 *  with SearchTooSlow if need be, and as many run at once as `db` has connections, which should be few; then Overloaded. Holds
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
      if (isCanceled(error)) throw new SearchTooSlow('the analytics took too long', { cause: error });
      if (error instanceof knex.KnexTimeoutError)
        throw new Overloaded('too many questions to the analytics are waiting');
      throw error;
    }
  };

const isCanceled = (error: unknown) => error instanceof Error && 'code' in error && error.code === '57014';
