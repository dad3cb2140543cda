import { randomBytes } from 'node:crypto';
import { type Knex, onlyRow } from '../../storage/postgres/postgres.ts';

declare module 'knex/types/tables.js' {
  interface Tables {
    visitor_salts: { day: string; salt: Buffer };
  }
}

export type VisitorSaltStore = ReturnType<typeof createVisitorSaltStore>;

/** Daily salts of visitor IDs, shared by all web processes. */
export function createVisitorSaltStore(db: Knex) {
  return {
    /** Returns the salt of a day (YYYY-MM-DD). The first caller creates it; all callers get the same one. */
    async getOrCreate(day: string): Promise<string> {
      // A row that a concurrent transaction inserts is not visible to the inserting statement.
      await db('visitor_salts')
        .insert({ day, salt: randomBytes(32) })
        .onConflict()
        .ignore();
      const { salt } = onlyRow({ rows: await db('visitor_salts').where({ day }).select('salt') });
      return salt.toString('hex');
    },

    /** Deletes salts of the days before yesterday (UTC, PostgreSQL's clock) and resolves to their number. 48 hours
     *  after a day began, its visitor IDs cannot be traced to anyone. */
    deleteOld: async (): Promise<number> =>
      await db('visitor_salts').whereRaw(`day < cast(now() at time zone 'UTC' as date) - 1`).delete(),
  };
}
