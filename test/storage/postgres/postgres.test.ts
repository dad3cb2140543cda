import { afterAll, beforeAll, expect, test } from 'vitest';
import { openClickStore } from '../../../src/analytics/click-store.ts';
import {
  boundedTransaction,
  isPostgresUnavailable,
  type Knex,
  onlyRow,
  openPostgres,
} from '../../../src/storage/postgres/postgres.ts';
import { startProxy } from '../../support/proxy/proxy.ts';
import { useDatabase } from '../../support/resources.ts';
import { waitUntil } from '../../support/wait-until.ts';

const database = useDatabase();
let impatient: Knex;

beforeAll(() => {
  impatient = openPostgres({ url: database.url(), poolMax: 1, queryTimeoutMs: 300, name: 'impatient' });
});

afterAll(async () => {
  await impatient.destroy();
});

const countOpenTransactions = async () => {
  const { rows } = await database
    .db()
    .raw<{ rows: unknown[] }>(
      `select from pg_stat_activity where application_name = 'linkmill-impatient' and state <> 'idle'`,
    );
  return rows.length;
};

test('a batch whose transaction timed out on a lock is rolled back and counted once on retry', async () => {
  const db = database.db();
  await db.raw(
    `insert into urls (short_code, original_url, code_is_generated) values ('locked', 'https://example.com/', true)`,
  );
  const [{ id }] = await db('urls').where({ short_code: 'locked' }).select('id');
  await db('url_stats').insert({ url_id: id });
  const store = openClickStore(impatient);
  const batch = {
    producer: '01890000-0000-7000-8000-000000000001',
    seq: 1,
    accepted: 1,
    clicks: [{ urlId: id, count: 1, lastAtMs: 0 }],
  };

  const holder = await db.transaction();
  await holder('url_stats').where({ url_id: id }).forUpdate();
  const error: unknown = await store.apply([batch]).catch((reason: unknown) => reason);
  expect(isPostgresUnavailable(error)).toBe(true);
  await holder.rollback();
  await waitUntil('the server has rolled back', async () => (await countOpenTransactions()) === 0);

  expect(await store.apply([batch])).toMatchObject({ batches: 1, clicks: 1 });
  expect(await db('url_stats').where({ url_id: id }).first('click_count')).toEqual({ click_count: 1 });
  expect(await db('click_producers').first('clicks')).toEqual({ clicks: 1 });
});

test('a pool works after a query timeout', async () => {
  await expect(impatient.raw('select pg_sleep(5)')).rejects.toThrow('Query read timeout');
  expect((await impatient.raw('select 1 as one')).rows).toEqual([{ one: 1 }]);
});

test('a connection that opens after its query timed out serves the next query', async () => {
  const url = new URL(database.url());
  const proxy = await startProxy(Number(url.port));
  url.port = String(proxy.port);
  const db = openPostgres({
    url: url.href,
    poolMax: 1,
    queryTimeoutMs: 60_000,
    connectMs: 300,
    name: 'slow',
  });
  try {
    const first = proxy.hold('linkmill-slow');
    await expect(db.raw('select 1')).rejects.toSatisfy(isPostgresUnavailable);
    await first.sprung;
    // The proxy holds any further connection.
    proxy.hold('linkmill-slow');
    first.release();
    const { rows } = await waitUntil(
      'a query is answered',
      async () => await db.raw('select 1 as one').catch(() => undefined),
      5_000,
    );
    expect(rows).toEqual([{ one: 1 }]);
  } finally {
    await db.destroy();
    await proxy.close();
  }
});

test('a bigint is read as a number; one above 2^53 is an error', async () => {
  const { rows } = await impatient.raw('select cast(9007199254740991 as bigint) as big');
  expect(rows).toEqual([{ big: Number.MAX_SAFE_INTEGER }]);
  await expect(impatient.raw('select cast(9007199254740993 as bigint)')).rejects.toThrow(RangeError);
});

test('the server ends the transaction of a stopped process within seconds', async () => {
  const db = database.db();
  await db('click_producers').insert({ producer: '01890000-0000-7000-8000-000000000002' });
  const lockRow = 'select from click_producers where producer = :producer for update';
  const producer = '01890000-0000-7000-8000-000000000002';
  let resume!: () => void;
  const stopped = boundedTransaction(db, async (trx) => {
    await trx.raw(lockRow, { producer });
    await new Promise<void>((resolve) => {
      resume = resolve;
    });
    await trx.raw('select 1');
  });
  const failure = stopped.catch((error: unknown) => error);
  await waitUntil(
    'the row is unlocked',
    async () => {
      await db.raw(`${lockRow} nowait`, { producer });
      return true;
    },
    15_000,
  );
  resume();
  expect(await failure).toBeInstanceOf(Error);
  const timeout = await db.raw<{ rows: { lock_timeout: string }[] }>('show lock_timeout');
  expect(onlyRow(timeout)).toEqual({ lock_timeout: '0' });
});
