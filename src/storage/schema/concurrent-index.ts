import type { Knex } from '../postgres/postgres.ts';

/** Time limits of a role or database that a long build would exceed. */
const limits = ['lock_timeout', 'statement_timeout'];

/** Builds an index without blocking reads and writes of the table, for migrations with `transaction = false`. An invalid index of a failed
 *  attempt is replaced; a valid one of this name is kept. `definition` follows the name in `create index`, such as `on urls (title)`. The
 *  table must not be partitioned. */
export async function createIndexConcurrently(
  db: Knex,
  { name, definition, unique = false }: { name: string; definition: string; unique?: boolean },
): Promise<void> {
  const found = await findIndex(db, name);
  if (found?.valid === true) return;
  await withoutLimits(db, async (run) => {
    if (found) await run(`drop index concurrently if exists ${name}`);
    await run(`create ${unique ? 'unique ' : ''}index concurrently ${name} ${definition}`);
  });
}

/** Drops an index, if it exists, without blocking reads and writes of the table, for migrations with `transaction = false`. */
export async function dropIndexConcurrently(db: Knex, name: string): Promise<void> {
  await withoutLimits(db, async (run) => await run(`drop index concurrently if exists ${name}`));
}

/** Finds an index after any build of it has ended: the statement of a killed process continues in the server. */
async function findIndex(db: Knex, name: string): Promise<{ valid: boolean } | undefined> {
  return await db.transaction(
    async (trx) => {
      const { rows } = await trx.raw<{ rows: { table: string }[] }>(
        `select indrelid::regclass::text as table from pg_index where indexrelid = to_regclass(?)`,
        [name],
      );
      const [index] = rows;
      if (!index) return undefined;
      await trx.raw(`select set_config('lock_timeout', '5s', true)`);
      // The lock of a build, which does not block reads and writes.
      await trx.raw(`lock table ${index.table} in share update exclusive mode`);
      const { rows: now } = await trx.raw<{ rows: { valid: boolean }[] }>(
        `select indisvalid as valid from pg_index where indexrelid = to_regclass(?)`,
        [name],
      );
      return now[0];
    },
    { isolationLevel: 'read committed' },
  );
}

/** Runs statements outside a transaction on one connection, without the time limits of the role. Behind PgBouncer the limits stay, because
 *  `set` would affect other clients. */
async function withoutLimits(db: Knex, work: (run: (sql: string) => Promise<void>) => Promise<void>) {
  const connection = (await db.client.acquireConnection()) as { processID?: number };
  const run = async (sql: string) => void (await db.raw(sql).connection(connection));
  try {
    const isDirect = await isDirectConnection(db, connection);
    if (isDirect) for (const limit of limits) await run(`set ${limit} = 0`);
    await work(run);
    if (isDirect) for (const limit of limits) await run(`reset ${limit}`);
  } finally {
    await db.client.releaseConnection(connection);
  }
}

/** Whether the connection has its own server process; PgBouncer reports another process id. */
async function isDirectConnection(db: Knex, connection: { processID?: number }): Promise<boolean> {
  const { rows } = (await db.raw('select pg_backend_pid() as pid').connection(connection)) as {
    rows: [{ pid: number }];
  };
  return rows[0].pid === connection.processID;
}
