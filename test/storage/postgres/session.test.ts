import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Knex, openPostgres } from '../../../src/storage/postgres/postgres.ts';
import { findMissingRights } from '../../../src/storage/postgres/rights.ts';
import { neededSettings } from '../../../src/storage/postgres/session.ts';
import { parseTimestamp, UnreadableValue } from '../../../src/storage/postgres/values.ts';
import { useDatabase } from '../../support/resources.ts';
import { administer } from '../../support/services/databases.ts';

const database = useDatabase();
const opened: Knex[] = [];

const open = (parameters: Record<string, string> = {}) => {
  const url = new URL(database.url());
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  const db = openPostgres({ url: url.href, poolMax: 8, queryTimeoutMs: 10_000, name: 'session' });
  opened.push(db);
  return db;
};

const foreign: Record<string, string> = {
  DateStyle: 'German, DMY',
  IntervalStyle: 'sql_standard',
  TimeZone: 'Pacific/Chatham',
  array_nulls: 'off',
  bytea_output: 'escape',
  default_transaction_isolation: 'serializable',
  exit_on_error: 'on',
  gin_fuzzy_search_limit: '1',
  idle_session_timeout: '40ms',
  row_security: 'on',
  extra_float_digits: '-10',
  lock_timeout: '7ms',
  standard_conforming_strings: 'off',
  statement_timeout: '3ms',
  transform_null_equals: 'on',
  client_encoding: 'LATIN1',
};

beforeAll(async () => {
  const name = new URL(database.url()).pathname.slice(1);
  for (const [setting, value] of Object.entries(foreign)) {
    await administer(database.url(), `alter database ${name} set ${setting} = '${value}'`);
  }
});

afterAll(async () => {
  await Promise.all(opened.map(async (db) => await db.destroy()));
});

const readValues = async (db: Knex) =>
  (
    await db.raw(
      `select cast('2027-01-31 12:00:00.123+00' as timestamptz) as at, cast('\\x00ff' as bytea) as bytes, 'ü' as text,
              cast(:list as text[]) as list, cast(interval '-1 day -1 hour' as text) as interval, cast(0.1 as float8) as float,
              current_setting('transaction_isolation') as isolation, current_setting('application_name') as name,
              pg_sleep(0.05) is null as slept`,
      { list: ['a', null] },
    )
  ).rows[0];

const ours = {
  at: new Date('2027-01-31T12:00:00.123Z'),
  bytes: Buffer.from([0x00, 0xff]),
  text: 'ü',
  list: ['a', null],
  interval: '-1 days -01:00:00',
  float: 0.1,
  isolation: 'read committed',
  name: 'linkmill-session',
  slept: false,
};

test('session settings of the database change no value and no isolation', async () => {
  expect(await readValues(open())).toEqual(ours);
});

test('session settings in the URL change no value, no isolation and no application name', async () => {
  const options = Object.entries(foreign)
    .map(([name, value]) => `-c ${name}=${value.replaceAll(' ', '\\ ')}`)
    .join(' ');
  const db = open({ options, application_name: 'other' });
  expect(await readValues(db)).toEqual(ours);
});

test('a transaction is read committed by default', async () => {
  const read = async (db: Knex) => (await db.raw('show transaction_isolation')).rows[0];
  const db = open();
  expect(await db.transaction(read)).toEqual({ transaction_isolation: 'read committed' });
  expect(await db.transaction(read, { isolationLevel: 'repeatable read' })).toEqual({
    transaction_isolation: 'repeatable read',
  });
});

test.each([
  ['01.02.2027 12:00:00 UTC'],
  ['02/01/2027 12:00:00 UTC'],
  ['Mon Feb 01 12:00:00 2027 UTC'],
  ['2027-02-01 12:00:00'],
  ['2027-02-01'],
  [''],
])('a timestamp that is not in ISO style with an offset is an error: "%s"', (text) => {
  expect(() => parseTimestamp(text)).toThrow(UnreadableValue);
});

test('timestamps are read exactly, or clamped to the years 1 to 9999', async () => {
  const db = open();
  const [earliestMs, latestMs] = [Date.parse('0001-01-01T00:00:00Z'), Date.UTC(10_000, 0) - 1];
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: -210_866_803_200, max: 9_224_318_015_999 }),
      fc.constantFrom('UTC', 'Asia/Kathmandu', 'America/St_Johns', 'Europe/Amsterdam'),
      async (seconds, zone) => {
        const { rows } = await db.transaction<{ rows: unknown[] }>(async (trx) => {
          await trx.raw(`select set_config('TimeZone', :zone, true)`, { zone });
          const at = { days: Math.floor(seconds / 86_400), seconds: ((seconds % 86_400) + 86_400) % 86_400 };
          return await trx.raw<{ rows: unknown[] }>(
            `select (timestamp 'epoch' + make_interval(days => :days, secs => :seconds)) at time zone 'UTC' as at`,
            at,
          );
        });
        const ms = Math.max(earliestMs, Math.min(seconds * 1_000, latestMs));
        expect(rows).toEqual([{ at: new Date(ms) }]);
      },
    ),
    { numRuns: 300 },
  );
  const { rows } = await db.raw(`select timestamptz 'infinity' as never, timestamptz '-infinity' as always`);
  expect(rows).toEqual([{ never: new Date(latestMs), always: new Date(earliestMs) }]);
});

test('needed session settings override the values of the database', async () => {
  const { rows } = await open().raw<{ rows: { name: string; setting: string }[] }>(
    'select name, setting from pg_settings where name = any(cast(:names as text[])) order by name',
    { names: Object.keys(neededSettings) },
  );
  expect(Object.fromEntries(rows.map(({ name, setting }) => [name, setting]))).toMatchObject({
    exit_on_error: 'off',
    gin_fuzzy_search_limit: '0',
    idle_session_timeout: '0',
    row_security: 'off',
  });
  for (const { name, setting } of rows) expect(setting, name).toEqual(neededSettings[name]);
});

test('an error keeps the connection, and rows hidden by a policy are an error', async () => {
  const db = open();
  const role = `${new URL(database.url()).pathname.slice(1)}_rls`;
  await database.db().raw(`create role ${role} login password 'secret'`);
  await database.db().raw(`grant select on all tables in schema public to ${role}`);
  const login = new URL(database.url());
  [login.username, login.password] = [role, 'secret'];
  const theirs = openPostgres({ url: login.href, poolMax: 1, queryTimeoutMs: 10_000, name: 'session' });
  try {
    const pid = (await theirs.raw('select pg_backend_pid() as pid')).rows[0].pid;
    expect((await findMissingRights(theirs)).rights.join()).not.toContain('row level security');
    await db.raw('alter table urls enable row level security');
    await expect(theirs.raw('select from urls')).rejects.toMatchObject({ code: '42501' });
    expect((await findMissingRights(theirs)).rights).toContain(
      'bypassrls, since row level security hides rows of urls',
    );
    expect((await theirs.raw('select pg_backend_pid() as pid')).rows[0].pid).toBe(pid);
  } finally {
    await theirs.destroy();
    await db.raw('alter table urls disable row level security');
    await database.db().raw(`drop owned by ${role}`);
    await database.db().raw(`drop role ${role}`);
  }
});
