import { randomBytes } from 'node:crypto';
import { type Knex, onlyRow } from '../../storage/postgres/postgres.ts';

export type VisitorSaltStore = ReturnType<typeof createVisitorSaltStore>;

/** Daily salts of visitor IDs, shared by all web processes. */
export function createVisitorSaltStore(db: Knex) {
  return {
    /** Returns the salt of a day (YYYY-MM-DD). The first caller creates it; all callers get the same one. */
    async getOrCreate(day: string): Promise<string> {
      // A row that a concurrent transaction inserts is not visible to the inserting statement.
      await db.raw(
        'insert into visitor_salts (day, salt) values (cast(:day as date), :salt) on conflict do nothing',
        { day, salt: randomBytes(32) },
      );
      const sql = `select encode(salt, 'hex') as salt from visitor_salts where day = cast(:day as date)`;
      return onlyRow(await db.raw<{ rows: { salt: string }[] }>(sql, { day })).salt;
    },

    /** Deletes salts of the days before yesterday (UTC, PostgreSQL's clock) and resolves to their number. 48 hours
     *  after a day began, its visitor IDs cannot be traced to anyone. */
    async deleteOld(): Promise<number> {
      const sql = `delete from visitor_salts where day < cast(now() at time zone 'UTC' as date) - 1`;
      return (await db.raw<{ rowCount: number }>(sql)).rowCount;
    },
  };
}
