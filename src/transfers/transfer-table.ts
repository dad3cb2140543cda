import { boundedTransaction, type Knex, onlyRow } from '../storage/postgres/postgres.ts';

/** The common part of imports and exports: each belongs to an API key, waits for a job and takes long. Methods with an API key's id find only
 *  what belongs to this key; null means all keys. */
export function createTransferTable<Row>(db: Knex, table: 'imports' | 'exports', columns: string) {
  async function findOne(condition: string, bindings: Knex.ValueDict): Promise<Row | undefined> {
    const { rows } = await db.raw<{ rows: Row[] }>(
      `select ${columns} from ${table} where ${condition} and deleted_at is null`,
      bindings,
    );
    return rows[0];
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
      await findOne(`id = :id and ${isOf}`, { id, apiKeyId }),

    /** An unfinished one of any API key. */
    findUnfinished: async (id: number): Promise<Row | undefined> =>
      await findOne(`id = :id and state in ('waiting', 'running')`, { id }),

    /** Up to `limit`, latest first, with an ID below `before`. */
    async list(apiKeyId: number | null, before: number | undefined, limit: number): Promise<Row[]> {
      const { rows } = await db.raw<{ rows: Row[] }>(
        `select ${columns} from ${table} where id < :before and ${isOf} and deleted_at is null
         order by id desc limit :limit`,
        { apiKeyId, before: before ?? Number.MAX_SAFE_INTEGER, limit },
      );
      return rows;
    },

    /** Deletes one in any state; resolves to its last state. */
    async remove(id: number, apiKeyId: number | null): Promise<Row | undefined> {
      const { rows } = await db.raw<{ rows: Row[] }>(
        `update ${table} set deleted_at = now() where id = :id and ${isOf} and deleted_at is null returning ${columns}`,
        { id, apiKeyId },
      );
      return rows[0];
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
      await db.raw(
        `update ${table} set state = case when cast(:error as text) is null then 'completed' else 'failed' end,
           error = :error, finished_at = now()
         where id = :id and state in ('waiting', 'running')`,
        { id, error },
      );
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

const isOf = '(cast(:apiKeyId as bigint) is null or api_key_id = :apiKeyId)';
