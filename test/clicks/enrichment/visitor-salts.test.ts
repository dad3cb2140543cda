import { afterEach, beforeEach, expect, test } from 'vitest';
import { createVisitorIds } from '../../../src/clicks/enrichment/visitor-ids.ts';
import {
  createVisitorSaltStore,
  type VisitorSaltStore,
} from '../../../src/clicks/enrichment/visitor-salt-store.ts';
import { createVisitorSalts, type VisitorSalts } from '../../../src/clicks/enrichment/visitor-salts.ts';
import { silentLog, useDatabase } from '../../support/resources.ts';

const { db } = useDatabase();
const opened: VisitorSalts[] = [];
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** Today, because PostgreSQL's clock decides which salts are old. */
const noon = Math.floor(Date.now() / dayMs) * dayMs + dayMs / 2;
const midnight = noon + dayMs / 2;
const [today, tomorrow] = [noon, midnight].map((atMs) => new Date(atMs).toISOString().slice(0, 10));

beforeEach(async () => {
  await db()('visitor_salts').del();
});

afterEach(() => {
  for (const salts of opened.splice(0)) salts.stop();
});

function open(more: Partial<VisitorSaltStore> = {}) {
  let clockMs = noon;
  const store = { ...createVisitorSaltStore(db()), ...more };
  const salts = createVisitorSalts({ store, log: silentLog, now: () => clockMs });
  opened.push(salts);
  const refresh = async (nowMs: number) => {
    clockMs = nowMs;
    await salts.refresh();
  };
  return { ...salts, refresh };
}

const readDays = async () =>
  (
    await db()('visitor_salts').select<{ day: string }[]>(db().raw('cast(day as text) as day')).orderBy('day')
  ).map(({ day }) => day);

test('all processes share the salt of a day, and get another one the next day', async () => {
  const processes = Array.from({ length: 5 }, () => open());
  for (const nowMs of [noon, noon + dayMs]) {
    await Promise.all(processes.map((one) => one.refresh(nowMs)));
    expect(new Set(processes.map((one) => one.saltAt(nowMs))).size).toBe(1);
  }
  expect(processes[0]!.saltAt(noon + dayMs)).toMatch(/^[0-9a-f]{64}$/);
  expect(await readDays()).toEqual([today, tomorrow]);
  const rows = await db()('visitor_salts').select('salt');
  expect(new Set(rows.map(({ salt }) => salt.toString('hex'))).size).toBe(2);
});

test('the next salt is fetched an hour before midnight UTC, the same after a restart', async () => {
  const early = open();
  await early.refresh(midnight - 2 * hourMs);
  expect(await readDays()).toEqual([today]);
  await early.refresh(midnight - hourMs);
  expect(await readDays()).toEqual([today, tomorrow]);
  const late = open();
  await late.refresh(midnight + hourMs);
  expect(late.saltAt(midnight)).toBe(early.saltAt(midnight));
  expect(early.saltAt(midnight - 1)).not.toBe(early.saltAt(midnight));
});

test('the salts of today and yesterday are kept, older ones are deleted', async () => {
  await db().raw(
    `insert into visitor_salts (day, salt)
     select cast(now() at time zone 'UTC' as date) - days, '\\x00' from generate_series(0, 5) as days`,
  );
  await open().refresh(Date.now());
  const { rows } = await db().raw(
    `select cast(now() at time zone 'UTC' as date) - day as age from visitor_salts order by 1`,
  );
  expect(rows.map(({ age }: { age: number }) => age).filter((age: number) => age >= 0)).toEqual([0, 1]);
});

test('without PostgreSQL a process uses a random salt, and later the shared one', async () => {
  let away = true;
  const store = createVisitorSaltStore(db());
  const salts = open({
    getOrCreate: async (day) => {
      if (away) throw new Error('away');
      return await store.getOrCreate(day);
    },
  });
  await salts.refresh(noon);
  const own = salts.saltAt(noon);
  expect(own).toMatch(/^[0-9a-f]{64}$/);
  expect(salts.saltAt(noon + hourMs)).toBe(own);
  expect(await readDays()).toEqual([]);
  away = false;
  await salts.refresh(noon);
  const other = open();
  await other.refresh(noon);
  expect(salts.saltAt(noon)).toBe(other.saltAt(noon));
  expect(salts.saltAt(noon)).not.toBe(own);
});

test('a visitor ID is stable for a day and changes the next day', async () => {
  const salts = open();
  const { idOf } = createVisitorIds(salts);
  await salts.refresh(noon);
  await salts.refresh(noon + 11.5 * hourMs);
  const id = idOf('203.0.113.7', 'a', noon);
  expect(id).toMatch(/^[0-9a-f]{16}$/);
  expect(idOf('203.0.113.7', 'a', noon + 11 * hourMs)).toBe(id);
  const others = [
    idOf('203.0.113.8', 'a', noon),
    idOf('203.0.113.7', 'b', noon),
    idOf('203.0.113.7', 'a', noon + 12 * hourMs),
    idOf('203.0.113.7', 'a', noon - 12 * hourMs - 1),
  ];
  expect(new Set([id, ...others]).size).toBe(5);
  expect(idOf('', 'a', noon)).toBe('');
});
