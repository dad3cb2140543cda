import type { Knex } from '../postgres/postgres.ts';

/** To be called once, first in the transaction of a read. It ends settings that are local to the transaction. */
export type CheckServer = (trx: Knex) => Promise<void>;

/** Runs a read on a server whose data is as current as at its call. `read` begins a transaction on `db`, calls `check` in it, and may run a
 *  second time, on another server. */
export type ReadPool = <T>(read: (db: Knex, check: CheckServer) => Promise<T>) => Promise<T>;

const noCheck = async () => undefined;

/** Reads from one pool. */
export const readFrom =
  (db: Knex): ReadPool =>
  async (read) =>
    await read(db, noCheck);

/** Reads in one transaction, in which statements may see different states. */
export const readOnce = async <T>(pool: ReadPool, read: (trx: Knex) => Promise<T>): Promise<T> =>
  await pool(
    async (db, check) =>
      await db.transaction(
        async (trx) => {
          await check(trx);
          return await read(trx);
        },
        { readOnly: true },
      ),
  );
