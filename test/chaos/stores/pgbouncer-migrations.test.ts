import { afterEach, beforeEach, expect, test } from 'vitest';
import { hasDebianPackages } from '../../../scripts/services/debian-packages.ts';
import { type Knex, openPostgres } from '../../../src/storage/postgres/postgres.ts';
import { listMigrations, ownMigrations } from '../../../src/storage/schema/migration-files.ts';
import { migrate } from '../../../src/storage/schema/migrations.ts';
import { startProcess } from '../../support/processes/processes.ts';
import { createDatabase } from '../../support/resources.ts';
import { addColumn, addIndex, copyMigrations } from '../../support/services/migrations-folder.ts';
import { startPgBouncer } from '../../support/services/pgbouncer.ts';

const onDebian = { timeout: 180_000, skip: !hasDebianPackages() };

let database: Awaited<ReturnType<typeof createDatabase>>;
let bouncer: Awaited<ReturnType<typeof startPgBouncer>> | undefined;
let direct: Knex;
beforeEach(() => {
  bouncer = undefined;
});
afterEach(async () => {
  await direct.destroy();
  await bouncer?.stop();
  await database.drop();
});

const open = (url: string) => openPostgres({ url, poolMax: 3, queryTimeoutMs: 60_000, name: 'test' });

test('ten concurrent release steps through PgBouncer run each migration once', onDebian, async () => {
  database = await createDatabase('template0');
  direct = open(database.url);
  // Fewer connections than steps.
  bouncer = await startPgBouncer(database.url, { poolSize: 3 });
  const { url } = bouncer;
  const steps = Array.from({ length: 10 }, () => startProcess('src/cli/migrate.js', { DATABASE_URL: url }));
  const codes = await Promise.all(steps.map(async ({ ended }) => await ended));
  const migrating = steps.filter(({ output }) => output().includes('Migrated: '));

  expect(codes).toEqual(Array(10).fill(0));
  expect(migrating).toHaveLength(1);
  const { rows } = await direct.raw<{ rows: { name: string }[] }>(
    'select name from knex_migrations order by id',
  );
  expect(rows.map(({ name }) => name)).toEqual(await listMigrations(ownMigrations));
});

test('a migration through PgBouncer leaves no session setting for other clients', onDebian, async () => {
  database = await createDatabase();
  direct = open(database.url);
  await direct.raw(`alter database ${new URL(database.url).pathname.slice(1)} set lock_timeout = '9s'`);
  bouncer = await startPgBouncer(database.url, { poolSize: 2 });
  const pooled = open(bouncer.url);
  const later = await copyMigrations({
    '20270101_000001_add_color': addColumn('color'),
    '20270101_000002_find_titles': addIndex('urls_title', 'on urls (title)'),
  });
  expect(await migrate(pooled, { folder: later.url })).toHaveLength(2);
  await later.remove();

  // Two concurrent transactions use both connections of the pool.
  const read = async () => {
    const trx = await pooled.transaction();
    const { rows } = await trx.raw<{ rows: [{ lock_timeout: string }] }>('show lock_timeout');
    return { trx, value: rows[0].lock_timeout };
  };
  const both = [await read(), await read()];
  for (const { trx } of both) await trx.rollback();
  await pooled.destroy();
  expect(both.map(({ value }) => value)).toEqual(['9s', '9s']);
});
