import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Knex, openPostgres } from '../../../src/storage/postgres/postgres.ts';
import { readFrom } from '../../../src/storage/reads/read-pool.ts';
import { createSearchQuery } from '../../../src/storage/reads/search-query.ts';
import { migrate, rollback } from '../../../src/storage/schema/migrations.ts';
import { createUrlLists } from '../../../src/urls/search/list.ts';
import { startProcess } from '../../support/processes/processes.ts';
import { createDatabase, track } from '../../support/resources.ts';
import { describeSchema } from '../../support/services/describe-schema.ts';
import { waitUntil } from '../../support/wait-until.ts';

/** PostgreSQL's own template, which has no tables. */
const emptyTemplate = 'template0';

let database: Awaited<ReturnType<typeof createDatabase>>;
let db: Knex;
let closed: () => void;
let names: string[];

beforeEach(async () => {
  database = await createDatabase(emptyTemplate);
  db = openPostgres({ url: database.url, poolMax: 2, queryTimeoutMs: 60_000, name: 'test' });
  closed = track('pool');
  const files = await readdir(new URL('../../../migrations/', import.meta.url));
  names = files.map((file) => file.replace(/\.ts$/, '')).sort();
});
afterEach(async () => {
  await db.destroy();
  closed();
  await database.drop();
});

const readRan = async (): Promise<string[]> => await db('knex_migrations').orderBy('id').pluck('name');

test('ten concurrent release steps on an empty database all succeed and run each migration once', async () => {
  const processes = Array.from({ length: 10 }, () =>
    startProcess('src/cli/migrate.js', { DATABASE_URL: database.url }),
  );
  const codes = await Promise.all(processes.map(async (process) => await process.ended));
  // Steps that wait for a longer time print this line.
  const outputs = processes
    .map((process) => process.output().replace(/^Another migration is.*\n/m, ''))
    .sort();

  expect(codes).toEqual(Array<number>(10).fill(0));
  expect(outputs).toEqual([
    `Migrated: ${names.join(', ')}\n`,
    ...Array<string>(9).fill('Nothing to migrate.\n'),
  ]);
  expect(await readRan()).toEqual(names);
});

test('migrations run despite a lock left by knex', async () => {
  await db.raw('create table knex_migrations_lock (index serial primary key, is_locked integer)');
  await db('knex_migrations_lock').insert({ is_locked: 1 });
  expect(await migrate(db)).toEqual(names);
});

test('a waiting release step starts when the running one is killed', async () => {
  // A table lock stops the first step in the middle of its run.
  await migrate(db);
  await rollback(db);
  const blocker = await db.transaction();
  await blocker.raw('lock table knex_migrations in access exclusive mode');
  const first = startProcess('src/cli/migrate.js', { DATABASE_URL: database.url });
  await waitUntil('the first migration waits', () => first.output().includes('Other sessions hold locks'));
  const second = startProcess('src/cli/migrate.js', { DATABASE_URL: database.url });
  await waitUntil('the second migration waits', () =>
    second.output().includes('Another migration is running'),
  );

  first.signal('SIGKILL');
  await first.ended;
  await blocker.rollback();
  expect(await second.ended).toBe(0);
  expect(second.output()).toContain(`Migrated: ${names.join(', ')}\n`);
  expect(await readRan()).toEqual(names);
});

test('a rollback removes the whole schema, and the next migration run creates the same one', async () => {
  await migrate(db);
  const schema = await describeSchema(db);
  expect(schema).toContain('create table urls');

  await rollback(db);
  expect(await describeSchema(db)).toBe('\n');
  expect(await migrate(db)).toEqual(names);
  expect(await describeSchema(db)).toBe(schema);
});

test('the build skips migrations that ran from the sources', async () => {
  await migrate(db);
  expect((await readRan()).filter((name) => /\.(ts|js)$/.test(name))).toEqual([]);
  const built = startProcess('src/cli/migrate.js', { DATABASE_URL: database.url });
  expect(await built.ended).toBe(0);
  expect(built.output()).toBe('Nothing to migrate.\n');
});

test('migrations warn and searches work without the right to create pg_trgm', async () => {
  const name = `linkmill_test_guest_${process.pid}`;
  const guestUrl = new URL(database.url);
  await db.raw(`create role ${name} login password 'guest'; grant create on schema public to ${name}`);
  Object.assign(guestUrl, { username: name, password: 'guest' });
  const guest = openPostgres({ url: guestUrl.href, poolMax: 2, queryTimeoutMs: 60_000, name: 'test' });
  try {
    const warned = once(process, 'warning');
    expect(await migrate(guest)).toEqual(names);
    expect(String((await warned)[0])).toContain('pg_trgm cannot be created');
    await guest.raw(`with u as (insert into urls (short_code, original_url) values ('abcd', 'https://example.com/') returning id)
      insert into url_stats (url_id) select id from u`);
    const lists = createUrlLists(createSearchQuery(readFrom(guest), 10_000));
    const order = { sort: 'created', isDescending: true } as const;
    const { urls } = await lists.list({ filter: { search: 'EXAMPLE' }, order, limit: 1, now: new Date() });
    expect(urls.map((url) => url.shortCode)).toEqual(['abcd']);
    await rollback(guest);
  } finally {
    await guest.destroy();
    await db.raw(`drop owned by ${name}; drop role ${name}`);
  }
});
