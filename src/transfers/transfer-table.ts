import { aliased, type Columns } from '../storage/postgres/columns.ts';
import { boundedTransaction, type Knex, onlyRow } from '../storage/postgres/postgres.ts';
import type { Encoding, ImportState } from './transfer.ts';

/** The columns that both tables have. */
export interface TransferRow {
  id: number;
  api_key_id: number;
  state: ImportState;
  encoding: Encoding;
  rows: number;
  bytes: number;
  /** Why it failed. */
  error: string | null;
  created_at: Date;
  last_progress_at: Date;
  finished_at: Date | null;
  deleted_at: Date | null;
}

/** The common part of imports and exports: each belongs to an API key, waits for a job and takes long. Methods with an API key's id find only
 *  what belongs to this key; null means all keys. */
export function createTransferTable<Row extends object>(
  db: Knex,
  table: 'imports' | 'exports',
  columns: Columns,
) {
  function rowsOf(apiKeyId: number | null) {
    const rows = db<TransferRow>(table).whereNull('deleted_at');
    return apiKeyId === null ? rows : rows.where({ api_key_id: apiKeyId });
  }

  return {
    /** Inserts a row when its API key has fewer than `most` rows that satisfy `isHeld`, also with concurrent requests; else changes nothing and
     *  resolves to undefined. */
    async insertWithin<T>(
      { apiKeyId, isHeld, most }: { apiKeyId: number; isHeld: string; most: number },
      insert: (trx: Knex) => Promise<T>,
    ): Promise<T | undefined> {
      return await boundedTransaction(db, async (trx) => {
        await trx.raw('select from api_keys where id = :apiKeyId for no key update', { apiKeyId });
        const { held } = onlyRow(
          await trx.raw<{ rows: { held: number }[] }>(
            `select count(*) as held from ${table} where api_key_id = :apiKeyId and ${isHeld} and deleted_at is null`,
            { apiKeyId },
          ),
        );
        return held < most ? await insert(trx) : undefined;
      });
    },

    find: async (id: number, apiKeyId: number | null): Promise<Row | undefined> =>
      await rowsOf(apiKeyId).where({ id }).first<Row | undefined>(columns),

    /** An unfinished one of any API key. */
    findUnfinished: async (id: number): Promise<Row | undefined> =>
      await rowsOf(null)
        .where({ id })
        .whereIn('state', ['waiting', 'running'])
        .first<Row | undefined>(columns),

    /** Up to `limit`, latest first, with an ID below `before`. */
    async list(apiKeyId: number | null, before: number | undefined, limit: number): Promise<Row[]> {
      const rows = rowsOf(apiKeyId).orderBy('id', 'desc').limit(limit).select(columns);
      return (await (before === undefined ? rows : rows.where('id', '<', before))) as Row[];
    },

    /** Deletes one in any state; resolves to its last state. */
    async remove(id: number, apiKeyId: number | null): Promise<Row | undefined> {
      const [row] = (await rowsOf(apiKeyId)
        .where({ id })
        .update({ deleted_at: db.fn.now() })
        .returning(aliased(columns))) as Row[];
      return row;
    },

    /** The oldest after this one that waits for the job, or whose job has made no progress for `idleSeconds`. */
    async findWaiting(after: number, idleSeconds: number): Promise<number | undefined> {
      const { rows } = await db.raw<{ rows: { id: number }[] }>(
        `select id from ${table}
         where (state = 'waiting' or state = 'running' and last_progress_at < now() - make_interval(secs => :idleSeconds))
           and id > :after and deleted_at is null order by id limit 1`,
        { after, idleSeconds },
      );
      return rows[0]?.id;
    },

    /** Marks it as completed, or as failed with this error. */
    async finish(id: number, error: string | null): Promise<void> {
      await db<TransferRow>(table)
        .where({ id })
        .whereIn('state', ['waiting', 'running'])
        .update({ state: error === null ? 'completed' : 'failed', error, finished_at: db.fn.now() });
    },
  };
}

/** Runs a `delete` statement and resolves to the number of deleted rows. */
export async function countDeleted(db: Knex, statement: string, bindings: Knex.ValueDict): Promise<number> {
  const { rows } = await db.raw<{ rows: { count: number }[] }>(
    `with removed as (${statement} returning 1) select count(*) as count from removed`,
    bindings,
  );
  return rows[0]?.count ?? 0;
}
