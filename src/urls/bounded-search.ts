import knex, { type Knex } from 'knex';
import { Overloaded } from './url.ts';

/** PostgreSQL was told to give up a search that took too long. */
export class SearchTooSlow extends Error {
  override readonly name = 'SearchTooSlow';
}

export type BoundedSearch = ReturnType<typeof createBoundedSearch>;

/** Runs statements that may read whole tables: each ends within `timeoutMs`, with SearchTooSlow if need be, and as many at
 *  once as `db` has connections, which should be few and needed by nobody else; then Overloaded. Holds through PgBouncer. */
export const createBoundedSearch =
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
      if (isCanceled(error)) throw new SearchTooSlow('the search took too long', { cause: error });
      if (error instanceof knex.KnexTimeoutError) throw new Overloaded('too many searches are waiting');
      throw error;
    }
  };

const isCanceled = (error: unknown) => error instanceof Error && 'code' in error && error.code === '57014';
