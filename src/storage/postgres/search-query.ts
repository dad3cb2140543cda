import type { Knex } from './postgres.ts';
import { rethrowTimeout } from './statement-timeout.ts';

export type SearchQuery = ReturnType<typeof createSearchQuery>;

/** Runs statements that may read whole tables: each ends within `timeoutMs`, with StatementTimeout if need be, and as many at
 *  once as `db` has connections, which should be few and needed by nobody else; then Overloaded. Holds through PgBouncer. */
export const createSearchQuery =
  (db: Knex, timeoutMs: number) =>
  async <Row>(sql: string, bindings: Record<string, unknown>): Promise<Row[]> => {
    try {
      return await db.transaction(async (trx) => {
        // What the usual memory for sorting and joining would send to the disk, of a million short URLs.
        await trx.raw(
          `select set_config('statement_timeout', :timeout, true), set_config('work_mem', '64MB', true)`,
          { timeout: String(timeoutMs) },
        );
        return (await trx.raw<{ rows: Row[] }>(sql, bindings as Knex.ValueDict)).rows;
      });
    } catch (error) {
      return rethrowTimeout(error, 'The search took too long. Look for less.');
    }
  };
