import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Knex, openPostgres } from '../../../src/storage/postgres/postgres.ts';
import { createLaterBuild } from '../../support/processes/later-build.ts';
import { createDatabase } from '../../support/resources.ts';
import { addIndex } from '../../support/services/migrations-folder.ts';
import { waitUntil } from '../../support/wait-until.ts';

let database: Awaited<ReturnType<typeof createDatabase>>;
let db: Knex;
let settings: Record<string, string>;
beforeEach(async () => {
  database = await createDatabase();
  db = openPostgres({ url: database.url, poolMax: 3, queryTimeoutMs: 60_000, name: 'test' });
  settings = { DATABASE_URL: database.url };
});
afterEach(async () => {
  await db.destroy();
  await database.drop();
});

test('a migration killed between its statements leaves nothing behind and runs again', async () => {
  const later = await createLaterBuild({
    '20270101_000001_add_color': `
      export async function up(db) {
        await db.raw('alter table urls add color text');
        await db.raw("update urls set color = (select hue from hues)");
      }
      export async function down(db) { await db.raw('alter table urls drop color'); }`,
  });
  await db.raw(`create table hues (hue text); insert into hues values ('green')`);
  const blocker = await db.transaction();
  await blocker.raw('lock table hues in access exclusive mode');
  const killed = later.migrate(settings);
  await waitUntil('the migration waits for the second table', async () => {
    const { rows } = await db.raw<{ rows: object[] }>(
      `select 1 from pg_locks where relation = 'hues'::regclass and not granted`,
    );
    return rows.length > 0;
  });
  killed.signal('SIGKILL');
  expect(await killed.ended).toBe('SIGKILL');
  await blocker.rollback();

  const again = later.migrate(settings);
  expect(await again.ended).toBe(0);
  expect(again.output()).toContain('Migrated: 20270101_000001_add_color');
  expect(await db.schema.hasColumn('urls', 'color')).toBe(true);
  const third = later.migrate(settings);
  expect(await third.ended).toBe(0);
  expect(third.output()).toBe('Nothing to migrate.\n');
  await later.remove();
});

test('an index whose build was killed exists and is valid after the next run', async () => {
  const index = addIndex('urls_title', 'on urls (title)', '../src/storage/schema', 'js');
  const later = await createLaterBuild({ '20270101_000001_find_titles': index });
  const writer = await db.transaction();
  await writer.raw(`insert into urls (short_code, original_url) values ('open', 'https://example.com/')`);
  const killed = later.migrate(settings);
  await waitUntil('the build waits for the writer', async () => (await readValid()) === false);
  killed.signal('SIGKILL');
  expect(await killed.ended).toBe('SIGKILL');

  // The server continues the statement of the killed process.
  const again = later.migrate(settings);
  await waitUntil('the next run waits for the index build', async () => {
    const { rows } = await db.raw<{ rows: object[] }>(
      `select 1 from pg_stat_activity where query like 'lock table urls in share update%' and wait_event_type = 'Lock'`,
    );
    return rows.length > 0;
  });
  await writer.commit();
  expect(await again.ended).toBe(0);
  expect(again.output()).toContain('Migrated: 20270101_000001_find_titles');
  expect(await readValid()).toBe(true);
  await later.remove();
});

async function readValid(): Promise<boolean | undefined> {
  const { rows } = await db.raw<{ rows: { valid: boolean }[] }>(
    `select indisvalid as valid from pg_index where indexrelid = to_regclass('urls_title')`,
  );
  return rows[0]?.valid;
}
