import type { Knex } from '../postgres/postgres.ts';
import { rethrowTimeout } from '../postgres/statement-timeout.ts';
import type { ReadPool } from './read-pool.ts';

export type SearchQuery = ReturnType<typeof createSearchQuery>;

/** Runs queries that may scan whole tables. One that takes longer than `timeoutMs` fails with StatementTimeout; when all connections of
 *  the pool are in use, the query fails with Overloaded. It should be a small pool for searches only. Works through PgBouncer. */
export const createSearchQuery =
  (pool: ReadPool, timeoutMs: number) =>
  async <Row>(sql: string, bindings: Record<string, unknown>): Promise<Row[]> => {
    try {
      return await pool(
        async (db, check) =>
          await db.transaction(async (trx) => {
            await check(trx);
            // With the default work_mem, sorts and joins of a million short URLs spill to disk.
            await trx.raw(
              `select set_config('statement_timeout', :timeout, true), set_config('work_mem', '64MB', true)`,
              { timeout: String(timeoutMs) },
            );
            return (await trx.raw<{ rows: Row[] }>(sql, bindings as Knex.ValueDict)).rows;
          }),
      );
    } catch (error) {
      return rethrowTimeout(error, 'The search timed out. Use more specific filters.');
    }
  };
