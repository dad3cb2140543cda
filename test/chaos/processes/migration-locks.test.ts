import { afterEach, beforeEach, expect, test } from 'vitest';
import { createEpochStore } from '../../../src/epoch/epoch-store.ts';
import { type Knex, openPostgres } from '../../../src/storage/postgres/postgres.ts';
import { migrate, rollback } from '../../../src/storage/schema/migrations.ts';
import { createDatabase } from '../../support/resources.ts';
import { addColumn, addIndex, copyMigrations } from '../../support/services/migrations-folder.ts';
import { waitUntil } from '../../support/wait-until.ts';

const open = (url: string, poolMax = 3) =>
  openPostgres({ url, poolMax, queryTimeoutMs: 60_000, name: 'test' });

let database: Awaited<ReturnType<typeof createDatabase>>;
let db: Knex;
let migrating: Knex;
beforeEach(async () => {
  database = await createDatabase();
  db = open(database.url, 10);
  migrating = open(database.url);
});
afterEach(async () => {
  await Promise.all([db.destroy(), migrating.destroy()]);
  await database.drop();
});

let code = 0;
const create = async () => {
  code += 1;
  const { rows } = await db.raw<{ rows: [{ id: number }] }>(
    `insert into urls (short_code, original_url) values (?, 'https://example.com/') returning id`,
    [`code${code}`],
  );
  return rows[0].id;
};

/** Creates short URLs in sequence until stopped; resolves to the duration of each create. */
function startCreating() {
  const tookMs: number[] = [];
  const stopping = new AbortController();
  const ended = (async () => {
    while (!stopping.signal.aborted) {
      const start = performance.now();
      await create();
      tookMs.push(performance.now() - start);
    }
    return tookMs;
  })();
  return {
    stop: async () => {
      stopping.abort();
      return await ended;
    },
  };
}

test('a migration that waits for an open reader lets creates pass and runs when the reader ends', async () => {
  const later = await copyMigrations({ '20270101_000001_add_color': addColumn('color') });
  await create();
  const reader = await db.transaction();
  await reader.raw('select count(*) from urls');

  const lines: string[] = [];
  let hasRun = false;
  const run = migrate(migrating, { folder: later.url, report: (line) => lines.push(line) });
  void run.finally(() => (hasRun = true));
  const creating = startCreating();
  await waitUntil('the wait is reported', () => lines.length > 0);
  const tookMs = await creating.stop();
  expect(hasRun).toBe(false);
  expect(lines[0]).toMatch(/^Other sessions hold locks .* linkmill-test /);
  expect(tookMs.length).toBeGreaterThan(10);

  await reader.rollback();
  expect(await run).toEqual(['20270101_000001_add_color']);
  expect(await db.schema.hasColumn('urls', 'color')).toBe(true);
  await later.remove();
});

test('a migration that gets no lock within its timeout fails and changes nothing', async () => {
  const later = await copyMigrations({ '20270101_000001_add_color': addColumn('color') });
  const reader = await db.transaction();
  await reader.raw('select count(*) from urls');
  await expect(migrate(migrating, { folder: later.url, waitMs: 500 })).rejects.toThrow(
    '20270101_000001_add_color: other sessions hold locks on the tables, still after',
  );
  await reader.rollback();
  expect(await db.schema.hasColumn('urls', 'color')).toBe(false);
  expect(await migrate(migrating, { folder: later.url })).toEqual(['20270101_000001_add_color']);
  await later.remove();
});

test('an index is built while a transaction that has written to the table stays open', async () => {
  const later = await copyMigrations({
    '20270101_000001_find_titles': addIndex('urls_title', 'on urls (title)'),
  });
  // The first write to a copied database begins its epoch; other writes would wait for that transaction.
  await createEpochStore(db).read();
  const writer = await db.transaction();
  await writer.raw(`insert into urls (short_code, original_url) values ('open', 'https://example.com/')`);
  const run = migrate(migrating, { folder: later.url });
  await waitUntil('the build waits for the writer', async () => {
    const { rows } = await db.raw<{ rows: object[] }>(
      `select 1 from pg_stat_progress_create_index where phase like 'waiting for%'`,
    );
    return rows.length > 0;
  });
  for (let i = 0; i < 20; i++) await create();
  await writer.commit();
  expect(await run).toEqual(['20270101_000001_find_titles']);
  expect(await isValid('urls_title')).toBe(true);
  expect(await migrate(migrating, { folder: later.url })).toEqual([]);
  await rollback(migrating, { folder: later.url });
  await later.remove();
});

test('the next run replaces an index that a failed attempt left invalid', async () => {
  const definition = 'on urls (title)';
  const index = addIndex('urls_title', definition).replace("definition: '", "unique: true, definition: '");
  const later = await copyMigrations({ '20270101_000001_unique_titles': index });
  await create();
  const twin = await create();
  await db('urls').update({ title: 'the same' });
  await expect(migrate(migrating, { folder: later.url })).rejects.toThrow(
    '20270101_000001_unique_titles: could not create',
  );
  expect(await isValid('urls_title')).toBe(false);

  await db('urls').where({ id: twin }).update({ title: 'another' });
  expect(await migrate(migrating, { folder: later.url })).toEqual(['20270101_000001_unique_titles']);
  expect(await isValid('urls_title')).toBe(true);
  await later.remove();
});

test('migrations run despite timeouts and an isolation level that the database sets', async () => {
  const name = new URL(database.url).pathname.slice(1);
  for (const [setting, value] of Object.entries({
    lock_timeout: '1ms',
    statement_timeout: '300ms',
    idle_in_transaction_session_timeout: '100ms',
    default_transaction_isolation: 'serializable',
  }))
    await db.raw(`alter database ${name} set ${setting} = '${value}'`);
  const slow = `export async function up(db) { await db.raw('select pg_sleep(1)'); }
    export async function down() {}`;
  const later = await copyMigrations({
    '20270101_000001_slow': slow,
    '20270101_000002_find_titles': addIndex('urls_title', 'on urls (title, pg_sleep_immutable())'),
  });
  await db.raw(`create function pg_sleep_immutable() returns text immutable language plpgsql
    as $$ begin perform pg_sleep(0.5); return ''; end $$`);
  await create();
  expect(await migrate(migrating, { folder: later.url })).toEqual([
    '20270101_000001_slow',
    '20270101_000002_find_titles',
  ]);
  await later.remove();
});

test('a run with a pool of two connections migrates and restores the session settings', async () => {
  const narrow = open(database.url, 2);
  const later = await copyMigrations({
    '20270101_000001_add_color': addColumn('color'),
    '20270101_000002_find_titles': addIndex('urls_title', 'on urls (title)'),
  });
  await narrow.raw(`set lock_timeout = '7s'`);
  await migrate(narrow, { folder: later.url });
  const { rows } = await narrow.raw<{ rows: [{ lock_timeout: string }] }>('show lock_timeout');
  await narrow.destroy();
  await later.remove();
  expect(['0', '7s']).toContain(rows[0].lock_timeout);
});

async function isValid(index: string): Promise<boolean | undefined> {
  const { rows } = await db.raw<{ rows: { valid: boolean }[] }>(
    'select indisvalid as valid from pg_index where indexrelid = to_regclass(?)',
    [index],
  );
  return rows[0]?.valid;
}
