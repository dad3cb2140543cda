import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Knex, openPostgres } from '../../../src/storage/postgres/postgres.ts';
import { listMigrations, ownMigrations } from '../../../src/storage/schema/migration-files.ts';
import { migrate } from '../../../src/storage/schema/migrations.ts';
import { compare, readSchemaState } from '../../../src/storage/schema/schema-state.ts';
import { createDatabase } from '../../support/resources.ts';
import { addColumn, copyMigrations } from '../../support/services/migrations-folder.ts';

const open = (url: string) =>
  openPostgres({ url, poolMax: 3, queryTimeoutMs: 60_000, connectMs: 60_000, name: 'test' });

describe('a migrated database', () => {
  let database: Awaited<ReturnType<typeof createDatabase>>;
  let db: Knex;
  beforeEach(async () => {
    database = await createDatabase();
    db = open(database.url);
  });
  afterEach(async () => {
    await db.destroy();
    await database.drop();
  });

  test('a database with all migrations of this version is current', async () => {
    expect(await readSchemaState(db)).toEqual({ kind: 'current' });
  });

  test('a database that lacks the latest migration is outdated, and the reason names it', async () => {
    const latest = (await listMigrations(ownMigrations)).at(-1)!;
    await db('knex_migrations').where({ name: latest }).delete();
    const reason = `One migration is missing, the first is ${latest}: run "npm run migrate".`;
    expect(await readSchemaState(db)).toEqual({ kind: 'outdated', reason });
  });

  test('names with the extension of another build count as run', async () => {
    await db('knex_migrations').update({ name: db.raw(`name || '.js'`) });
    expect(await readSchemaState(db)).toEqual({ kind: 'current' });
    expect(await migrate(db)).toEqual([]);
  });

  test('a newer migration that does not break older code gives a warning that names it', async () => {
    const newer = await copyMigrations({ '20270101_000001_add_color': addColumn('color') });
    await migrate(db, { folder: newer.url });
    await newer.remove();
    const warning =
      'This database has migrations of a newer version: 20270101_000001_add_color. This version is compatible with them.';
    expect(await readSchemaState(db)).toEqual({ kind: 'current', warning });

    const lines: string[] = [];
    expect(await migrate(db, { report: (line) => lines.push(line) })).toEqual([]);
    expect(lines).toEqual([warning]);
  });

  test('a newer migration that breaks older code makes the database incompatible, with its reason', async () => {
    const text = addColumn('color', `export const breaksOlderCode = 'every short URL needs a color';`);
    const newer = await copyMigrations({ '20270101_000001_need_color': text });
    await migrate(db, { folder: newer.url });
    const reason =
      'A newer version migrated this database, and this version is not compatible with it: 20270101_000001_need_color (every short URL needs a color). Start the newer version, or restore a backup from before the upgrade.';
    expect(await readSchemaState(db)).toEqual({ kind: 'incompatible', reason });
    await expect(migrate(db)).rejects.toThrow(reason);
    // For the version that contains it, it is a normal migration.
    expect(await readSchemaState(db, newer.url)).toEqual({ kind: 'current' });
    await newer.remove();
  });

  test('a history that knex made, without the column of this version, is read and completed', async () => {
    await db.raw('alter table knex_migrations drop breaks_older_code');
    expect(await readSchemaState(db)).toEqual({ kind: 'current' });
    expect(await migrate(db)).toEqual([]);
    expect(await db.schema.hasColumn('knex_migrations', 'breaks_older_code')).toBe(true);
  });

  test('tables without a history are unknown, and migrate rejects them', async () => {
    await db.raw('drop table knex_migrations');
    const state = await readSchemaState(db);
    expect(state).toMatchObject({
      kind: 'unknown',
      reason: expect.stringContaining('restore it from a backup'),
    });
    await expect(migrate(db)).rejects.toThrow('restore it from a backup');
  });

  test('a history that the role may not read is unknown, and the reason names the missing right', async () => {
    const role = `linkmill_reader_${process.pid}`;
    await db.raw(`create role ${role} login password 'reader'`);
    const url = new URL(database.url);
    Object.assign(url, { username: role, password: 'reader' });
    const reader = open(url.href);
    const state = await readSchemaState(reader);
    await reader.destroy();
    await db.raw(`drop role ${role}`);
    expect(state).toMatchObject({ kind: 'unknown', reason: expect.stringContaining('grant it SELECT') });
  });

  test('a knex_migrations table of another program is rejected and not changed', async () => {
    await db.raw('drop schema public cascade; create schema public');
    await db.raw(
      `create table knex_migrations (name text); insert into knex_migrations values ('001_shop.js')`,
    );
    const reason = expect.stringContaining('belongs to another program');
    expect(await readSchemaState(db)).toEqual({ kind: 'incompatible', reason });
    await expect(migrate(db)).rejects.toThrow('belongs to another program');
    expect(await db('knex_migrations').select()).toEqual([{ name: '001_shop.js' }]);
  });

  test.each(['20261121_000001_create_api_keys', '20261130_000001_create_api_keys'])(
    'a database with the replaced migration %s is incompatible, and migrate refuses to change it',
    async (name) => {
      await db('knex_migrations').delete();
      await db('knex_migrations').insert({ name, batch: 1 });
      const reason = expect.stringContaining('cannot be upgraded');
      expect(await readSchemaState(db)).toEqual({ kind: 'incompatible', reason });
      await expect(migrate(db)).rejects.toThrow('cannot be upgraded');
      expect(await db('knex_migrations').pluck('name')).toEqual([name]);
    },
  );

  test('a database without tables is outdated, with its own reason', async () => {
    await db.raw('drop schema public cascade; create schema public');
    const reason = expect.stringContaining('has no tables of Linkmill');
    expect(await readSchemaState(db)).toEqual({ kind: 'outdated', reason });
  });
});

test('a database with a newer migration that still lacks one of this version is outdated', () => {
  const applied = [
    { name: 'a', breaksOlderCode: null },
    { name: 'c', breaksOlderCode: null },
  ];
  expect(compare({ table: 'present', hasTables: true, applied }, ['a', 'b'])).toMatchObject({
    kind: 'outdated',
    reason: expect.stringContaining('the first is b'),
  });
});
