import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll } from 'vitest';
import type { Knex } from '../../../src/storage/postgres/postgres.ts';

/** A role for a test file with rights on all tables of a database, without owning one; `statement` refers to it as `%role`. */
export function useRole(database: { db: () => Knex; url: () => string }) {
  const name = `linkmill_role_${randomBytes(4).toString('hex')}`;
  const run = async (statement: string) =>
    await database.db().raw(statement.replaceAll('%role', name).replaceAll('%database', databaseName()));
  const databaseName = () => new URL(database.url()).pathname.slice(1);
  beforeAll(async () => {
    await run(`create role %role login password 'role'`);
    await run('grant usage on schema public to %role');
    await run('grant all on all tables in schema public to %role');
    await run('grant all on all sequences in schema public to %role');
  });
  afterAll(async () => {
    await run('drop owned by %role');
    await run('drop role %role');
  });
  return {
    name,
    /** Runs a statement as a superuser, with the placeholders `%role` and `%database`. */
    run,
    /** Terminates the connections of the role. */
    disconnect: async () =>
      await database
        .db()
        .raw('select pg_terminate_backend(pid) from pg_stat_activity where usename = :name', { name }),
    url: () => {
      const url = new URL(database.url());
      url.username = name;
      url.password = 'role';
      return url.href;
    },
  };
}
