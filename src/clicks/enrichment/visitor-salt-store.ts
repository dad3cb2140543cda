import { randomBytes } from 'node:crypto';
import { type Knex, onlyRow } from '../../storage/postgres/postgres.ts';

export type VisitorSaltStore = ReturnType<typeof createVisitorSaltStore>;

/** The salts of visitor ids, one a day, that all web processes share. */
export function createVisitorSaltStore(db: Knex) {
  return {
    /** The salt of a day (YYYY-MM-DD), the same for whoever asks: the first one makes it. */
    async take(day: string): Promise<string> {
      // The row of whoever was faster is not in sight of the same statement.
      await db.raw(
        'insert into visitor_salts (day, salt) values (cast(:day as date), :salt) on conflict do nothing',
        { day, salt: randomBytes(32) },
      );
      const sql = `select encode(salt, 'hex') as salt from visitor_salts where day = cast(:day as date)`;
      return onlyRow(await db.raw<{ rows: { salt: string }[] }>(sql, { day })).salt;
    },

    /** Removes the salts of the days before yesterday (UTC, by PostgreSQL's clock): 48 hours after a day began nobody can tell any
     *  more whose its visitor ids are. Resolves to how many there were. */
    async forget(): Promise<number> {
      const sql = `delete from visitor_salts where day < cast(now() at time zone 'UTC' as date) - 1`;
      return (await db.raw<{ rowCount: number }>(sql)).rowCount;
    },
  };
}
