import { afterEach, beforeEach, expect, test } from 'vitest';
import { openClickStore } from '../../src/analytics/click-store.ts';
import { createProducerId } from '../../src/clicks/batch-epochs.ts';
import { createEpochEvidence } from '../../src/epoch/epoch-evidence.ts';
import { createEpochStamp } from '../../src/epoch/epoch-stamp.ts';
import { createEpochStore } from '../../src/epoch/epoch-store.ts';
import { createEpochWatch, RedisInUse } from '../../src/epoch/epoch-watch.ts';
import { createCurrentEpoch } from '../../src/epoch/epoch.ts';
import { createKeyPool } from '../../src/keys/key-pool.ts';
import { type Conditions, createConditions } from '../../src/resilience/conditions.ts';
import { type Knex, openPostgres } from '../../src/storage/postgres/postgres.ts';
import { createRedisUrlCache } from '../../src/urls/cache/redis-cache.ts';
import { createUrlIds, makeBatch, readCounts } from '../support/clicks/clicks.ts';
import { createDatabase, silentLog, uniquePrefix, useRedis } from '../support/resources.ts';
import { dumpDatabase, restoreDump } from '../support/urls/database-dump.ts';
import { waitUntil } from '../support/wait-until.ts';

const shared = useRedis();
const poolMax = 8;
const opened: (() => Promise<unknown>)[] = [];
let db: Knex;
let url: string;
let prefix: string;

beforeEach(async () => {
  ({ db, url } = await open());
  prefix = `${shared.prefix}-${uniquePrefix()}`;
});

afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close();
});

async function open(template?: string) {
  const database = await createDatabase(template);
  opened.push(database.drop);
  const pool = openPostgres({ url: database.url, poolMax, queryTimeoutMs: 60_000, name: 'test' });
  opened.push(async () => await pool.destroy());
  return { db: pool, url: database.url };
}

const nameOf = (databaseUrl: string) => new URL(databaseUrl).pathname.slice(1);
const readEpoch = async (on = db) => await createEpochStore(on).read();
const nextVersion = async (on = db) =>
  Number((await on.raw("select nextval('url_versions') as version")).rows[0].version);

/** Starts a process on a database, with the Redis of this test. */
function startProcess(on = db, own = prefix, conditions?: Conditions, current = createCurrentEpoch()) {
  const reasons: string[] = [];
  const watch = createEpochWatch({
    store: createEpochStore(on),
    stamp: createEpochStamp(shared.redis(), own),
    current,
    ...(conditions && { conditions }),
    endProcess: (reason) => void reasons.push(reason),
    log: silentLog,
  });
  const cache = createRedisUrlCache(shared.redis(), {
    prefix: own,
    ttlSeconds: 60,
    versionFloor: current.versionFloor,
  });
  return { watch, current, cache, reasons };
}

/** Resolves when the process knows that the version is durable. */
async function waitUntilDurable(
  { check }: { check: () => Promise<unknown> },
  version: number,
): Promise<void> {
  await waitUntil('the version is durable', async () => {
    await check();
    return Number(await shared.redis().hget(`${prefix}:epoch`, 'version')) >= version;
  });
}

/** A reading of an epoch. */
const reading = {
  number: 1,
  epoch: 'first',
  identity: 'first',
  versionFloor: 0,
  reason: 'created',
  ageSeconds: 0,
};

/** Makes the stamp look as if its last heartbeat was a minute ago. */
async function ageStamp(): Promise<void> {
  const key = `${prefix}:epoch`;
  const beat = Number(await shared.redis().hget(key, 'beat'));
  await shared.redis().hset(key, 'beat', beat - 60_000);
}

test('an epoch stays the same while its database is written to', async () => {
  const first = await readEpoch();
  await createUrlIds(db, 3);
  await db('urls').update({ original_url: 'https://example.com/other' });
  await db.raw('vacuum full database_epochs');
  expect(await readEpoch()).toMatchObject({ epoch: first.epoch, number: 1, versionFloor: 0 });
});

test('a restored dump begins an epoch with higher versions, the same IDs and other keys', async () => {
  await createUrlIds(db, 3);
  const before = await readEpoch();
  const dump = await dumpDatabase(url);
  const [lost] = await createUrlIds(db, 1);
  const version = await nextVersion();
  await restoreDump(url, dump);
  const after = await readEpoch();
  expect(after).toMatchObject({ number: 2, identity: before.identity });
  expect(after.epoch).not.toBe(before.epoch);
  expect(after.versionFloor).toBeGreaterThan(version);
  expect(await nextVersion()).toBeGreaterThan(after.versionFloor);
  expect(await createUrlIds(db, 1)).toEqual([lost]);
  expect((await db('key_generator').first())?.next_number).toBe(100_000_000);
  expect(await readEpoch()).toMatchObject({ epoch: after.epoch });
});

test('the first write to a restored database begins the epoch, also within a savepoint', async () => {
  await createUrlIds(db, 3);
  const before = await readEpoch();
  await restoreDump(url, await dumpDatabase(url));
  await db.transaction(async (trx) => await trx.transaction(async (inner) => await createUrlIds(inner, 1)));
  const after = await readEpoch();
  expect(after).toMatchObject({ number: 2 });
  expect(after.epoch).not.toBe(before.epoch);
  const [{ version }] = await db('urls').orderBy('id', 'desc').limit(1).select('version');
  expect(version).toBeGreaterThan(after.versionFloor);
});

test('many processes that detect a restored database begin one epoch', async () => {
  await createUrlIds(db, 3);
  await restoreDump(url, await dumpDatabase(url));
  const epochs = await Promise.all(Array.from({ length: 5 }, async () => await readEpoch()));
  expect(new Set(epochs.map(({ epoch }) => epoch)).size).toBe(1);
  expect(await readEpoch()).toMatchObject({ number: 2 });
});

test('epochs work after the schema was renamed', async () => {
  await createUrlIds(db, 1);
  await restoreDump(url, await dumpDatabase(url));
  await db.raw('alter schema public rename to moved');
  await db.raw('create schema public');
  await db.transaction(async (trx) => {
    await trx.raw('set local search_path = moved');
    expect(await readEpoch(trx)).toMatchObject({ number: 2 });
    expect(await createEpochStore(trx).begin('restored', 0)).toMatchObject({ number: 3 });
    await trx.raw(`update database_epoch_fingerprints set fingerprint = 'elsewhere'`);
    await createUrlIds(trx, 1);
    expect(await trx('database_epochs').max('number as number').first()).toEqual({ number: 4 });
  });
});

test('a copy of a database begins its own epoch', async () => {
  await createUrlIds(db, 3);
  const before = await readEpoch();
  await db.destroy();
  const copy = await open(nameOf(url));
  expect(await readEpoch(copy.db)).toMatchObject({ number: 2, identity: before.identity });
});

test('a copy of a database without short URLs is a different database', async () => {
  const other = await open();
  const [ours, theirs] = [await readEpoch(), await readEpoch(other.db)];
  expect(ours).toMatchObject({ number: 1, versionFloor: 0 });
  expect(theirs).toMatchObject({ number: 1, versionFloor: 0 });
  expect(theirs.identity).not.toBe(ours.identity);
});

test('cached entries of an earlier epoch are not found, nor restored by slow readers', async () => {
  const { watch, cache, current } = startProcess();
  await createUrlIds(db, 1);
  const row = await db('urls').first();
  const toUrl = (version: number, originalUrl: string) => ({
    id: row.id,
    shortCode: 'code',
    originalUrl,
    isActive: true,
    expiresAt: null,
    startsAt: null,
    fallbackUrl: null,
    redirectStatus: null,
    redirectMaxAgeSeconds: null,
    forwardQuery: false,
    isOneTime: false,
    passwordHash: null,
    maxClicks: null,
    version,
  });
  await watch.check();
  const floorBefore = cache.versionFloor();
  await cache.put(toUrl(500, 'https://lost.example/') as never, floorBefore);
  expect(await cache.find('code')).toMatchObject({ version: 500 });
  await restoreDump(url, await dumpDatabase(url));
  await watch.check();
  expect(current.known).toMatchObject({ number: 2 });
  expect(await cache.find('code')).toBeUndefined();
  await cache.put(toUrl(3, 'https://retained.example/') as never, cache.versionFloor());
  await cache.put(toUrl(900, 'https://lost.example/') as never, floorBefore);
  expect(await cache.find('code')).toMatchObject({ url: { originalUrl: 'https://retained.example/' } });
});

test('a new epoch deletes the key pool and the watermark', async () => {
  const { watch } = startProcess();
  const pool = createKeyPool(shared.redis(), prefix);
  await createUrlIds(db, 1);
  await watch.check();
  await pool.add(['aaaaaaa']);
  await watch.check();
  expect(await pool.size()).toBe(1);
  await restoreDump(url, await dumpDatabase(url));
  await watch.check();
  expect(await pool.size()).toBe(0);
});

test('a process keeps its epoch when Redis is emptied or rolled back', async () => {
  const { watch, current } = startProcess();
  await createUrlIds(db, 1);
  await watch.check();
  const before = current.known;
  const saved = await shared.redis().hgetall(`${prefix}:epoch`);
  await createUrlIds(db, 1);
  await watch.check();
  await shared.redis().del(`${prefix}:epoch`);
  expect(await watch.check()).toBe('own');
  await shared.redis().hset(`${prefix}:epoch`, saved);
  expect(await watch.check()).toBe('own');
  expect(current.known).toEqual(expect.objectContaining({ epoch: before!.epoch, number: 1 }));
});

test('a database behind the versions in Redis begins an epoch above them', async () => {
  const { watch, current } = startProcess();
  await createUrlIds(db, 5);
  const version = await nextVersion();
  await waitUntilDurable(watch, version);
  await db.raw("select setval('url_versions', 1)");
  await startProcess().watch.check();
  await watch.check();
  expect(current.known).toMatchObject({ number: 2 });
  expect(current.known!.versionFloor).toBeGreaterThan(version);
});

test('many processes that detect missing versions begin one epoch', async () => {
  const processes = Array.from({ length: 5 }, () => startProcess());
  await createUrlIds(db, 5);
  const version = await nextVersion();
  for (const { watch } of processes) await waitUntilDurable(watch, version);
  await db.raw("select setval('url_versions', 1)");
  await waitUntil('all processes have the epoch', async () => {
    await Promise.all(processes.map(async ({ watch }) => await watch.check()));
    return processes.every(({ current }) => current.known!.number > 1);
  });
  expect(await db('database_epochs').pluck('number')).toEqual([1, 2]);
});

test('a version is durable once its log is on disk, or after 10 s without a position', () => {
  let nowMs = 0;
  const evidence = createEpochEvidence(() => nowMs);
  const read = (version: number, walPosition: number | null, versionPosition: number | null) =>
    evidence.record({ ...reading, version, walPosition, versionPosition });
  expect(read(5, 100, 120)).toMatchObject({ version: 0, walPosition: 100 });
  expect(read(6, 119, 130)).toMatchObject({ version: 0, walPosition: 119 });
  expect(read(7, 120, 140)).toMatchObject({ version: 5, walPosition: 120 });
  expect(read(9, 200, 200)).toMatchObject({ version: 9 });
  expect(
    evidence.record({ ...reading, epoch: 'next', version: 3, walPosition: 90, versionPosition: 99 }),
  ).toEqual({ epoch: 'next', version: 0, walPosition: 90 });
  expect(read(5, null, null)).toEqual({ epoch: reading.epoch, version: 0, walPosition: null });
  nowMs = 9_999;
  expect(read(6, null, null)).toMatchObject({ version: 0 });
  nowMs = 10_000;
  expect(read(7, null, null)).toMatchObject({ version: 5 });
});

test('an epoch in an open transaction of another session is a condition with bounded waits', async () => {
  const conditions = createConditions(silentLog);
  const { watch } = startProcess(db, prefix, conditions);
  await createUrlIds(db, 1);
  await restoreDump(url, await dumpDatabase(url));
  const holder = await db.transaction();
  await createUrlIds(holder, 1);
  try {
    const writer = await createUrlIds(db, 1).catch((error: unknown) => error);
    expect(writer).toMatchObject({ code: '55P03' });
    await watch.check();
    expect(conditions.list()).toMatchObject([
      { code: 'database_epoch_unknown', reason: expect.stringContaining('pg_terminate_backend') },
    ]);
  } finally {
    await holder.rollback();
  }
  await watch.check();
  expect(conditions.list().map(({ code }) => code)).toEqual(['database_epoch_changed']);
});

test('a process rejects a Redis in use by another database', async () => {
  const other = await open();
  const theirs = startProcess(other.db);
  const ours = startProcess();
  await theirs.watch.check();
  expect(await ours.watch.check()).toBe('waiting');
  const beats = async () => {
    for (let i = 0; i < 3; i++) {
      // Advances its clock.
      await shared.redis().hincrby(`${prefix}:epoch`, 'beat', -i);
      await theirs.watch.check();
      await ours.watch.check();
    }
  };
  await expect(beats()).rejects.toThrow(RedisInUse);
  expect(await shared.redis().hget(`${prefix}:epoch`, 'epoch')).toBe((await readEpoch(other.db)).epoch);
});

test('a process takes over a Redis whose other database has no running processes', async () => {
  const other = await open();
  await createUrlIds(other.db, 2);
  const theirs = startProcess(other.db);
  await theirs.watch.check();
  await ageStamp();
  const ours = startProcess();
  expect(await ours.watch.check()).toBe('own');
  expect(ours.current.known!.versionFloor).toBeGreaterThan((await readEpoch(other.db)).version);
  expect(await theirs.watch.check()).toBe('waiting');
});

test('clicks of an earlier epoch are counted on the short URLs that the restored database had', async () => {
  const [retained] = await createUrlIds(db, 1);
  const producer = createProducerId((await readEpoch()).epoch);
  const dump = await dumpDatabase(url);
  const [lost] = await createUrlIds(db, 1);
  await restoreDump(url, dump);
  const [reused] = await createUrlIds(db, 1);
  expect(reused).toBe(lost);
  const store = openClickStore(db);
  const batches = [makeBatch(producer, 1, retained!, 2), makeBatch(producer, 2, lost!, 3)];
  expect(await store.apply(batches)).toMatchObject({ clicks: 2, deadLetters: 1 });
  expect(await store.apply(batches)).toMatchObject({ clicks: 0, duplicates: 2 });
  expect(await readCounts(db, [retained!, reused!])).toEqual([2, 0]);
  expect(await db('click_dead_letters').select('reason')).toEqual([
    { reason: 'short URL of another database epoch' },
  ]);
  const now = createProducerId((await readEpoch()).epoch);
  await store.apply([makeBatch(now, 1, reused!, 4)]);
  expect(await readCounts(db, [retained!, reused!])).toEqual([2, 4]);
});

test('clicks of an unrelated database become dead letters', async () => {
  const [retained] = await createUrlIds(db, 1);
  const dump = await dumpDatabase(url);
  await restoreDump(url, dump);
  const sibling = createProducerId((await readEpoch()).epoch);
  await createUrlIds(db, 1);
  await restoreDump(url, dump);
  await readEpoch();
  const store = openClickStore(db);
  for (let times = 0; times < 2; times++)
    expect(await store.apply([makeBatch(sibling, 1, retained!, 2)])).toMatchObject({
      clicks: 0,
      deadLetters: 1,
    });
  expect(await readCounts(db, [retained!])).toEqual([0]);
  expect(await db('click_dead_letters').select('reason')).toEqual([{ reason: 'another database epoch' }]);
  expect(await db('click_producers')).toEqual([]);
});

test('a role with table rights begins an epoch, one without only reads it', async () => {
  await createUrlIds(db, 1);
  const { epoch } = await readEpoch();
  const role = nameOf(url);
  await db.raw(`create role ${role} login password 'secret'`);
  opened.push(async () => {
    await db.raw(`drop owned by ${role}`);
    await db.raw(`drop role ${role}`);
  });
  const login = new URL(url);
  [login.username, login.password] = [role, 'secret'];
  const theirs = openPostgres({ url: login.href, poolMax: 1, queryTimeoutMs: 60_000, name: 'test' });
  try {
    expect(await readEpoch(theirs)).toMatchObject({ epoch, number: 1 });
    await expect(createEpochStore(theirs).begin('restored', 0)).rejects.toThrow(/permission denied/);
    await theirs.raw('create temporary table database_epochs (number bigint)');
    const choose = theirs.raw(`select * from read_database_epoch('pg_temp.database_epochs'::regclass)`);
    await expect(choose).rejects.toThrow(/may not choose another table/);
    await db.raw(`grant insert on click_dead_letters to ${role}`);
    expect(await createEpochStore(theirs).begin('restored', 0)).toMatchObject({ number: 2 });
  } finally {
    await theirs.destroy();
  }
});

test('a role without rights on newer tables counts clicks', async () => {
  const [id] = await createUrlIds(db, 1);
  const role = nameOf(url);
  await db.raw(`create role ${role} login password 'secret'`);
  opened.push(async () => {
    await db.raw(`drop owned by ${role}`);
    await db.raw(`drop role ${role}`);
  });
  await db.raw(`grant select, insert, update, delete on all tables in schema public to ${role}`);
  await db.raw(`revoke all on database_epochs, database_epoch_fingerprints from ${role}`);
  const login = new URL(url);
  [login.username, login.password] = [role, 'secret'];
  const theirs = openPostgres({ url: login.href, poolMax: 1, queryTimeoutMs: 60_000, name: 'test' });
  try {
    await openClickStore(theirs).apply([makeBatch(createProducerId(undefined), 1, id!, 2)]);
    expect(await readCounts(db, [id!])).toEqual([2]);
  } finally {
    await theirs.destroy();
  }
});

test('an unreadable epoch is a condition until it can be read', async () => {
  const conditions = createConditions(silentLog);
  const { watch } = startProcess(db, prefix, conditions);
  const codes = () => conditions.list().map(({ code }) => code);
  await db.raw('alter function read_database_epoch rename to hidden');
  await watch.check();
  expect(codes()).toEqual(['database_epoch_unknown']);
  await db.raw('alter function hidden rename to read_database_epoch');
  await watch.check();
  expect(codes()).toEqual([]);
});

test('table maintenance begins no epoch', async () => {
  await createUrlIds(db, 3);
  const { epoch } = await readEpoch();
  for (const statement of [
    'vacuum (freeze) database_epochs',
    'vacuum (freeze) pg_database',
    'vacuum full database_epochs',
    'vacuum (full, freeze) database_epochs',
    'cluster database_epochs using database_epochs_pkey',
    'reindex table database_epochs',
    'reindex table concurrently database_epochs',
    'analyze',
    'select pg_switch_wal()',
    'checkpoint',
  ]) {
    await db.raw(statement);
    expect((await readEpoch()).epoch, statement).toEqual(epoch);
  }
});

test('a process with two Redis services takes both over at once after a restore', async () => {
  const one = startProcess();
  const other = startProcess(db, `${prefix}-cache`, undefined, one.current);
  expect([await one.watch.check(), await other.watch.check()]).toEqual(['own', 'own']);
  const { epoch } = await createEpochStore(db).begin('restored', 0);
  // The first watch makes the epoch current before the other one has read its own stamp.
  expect([await one.watch.check(), await other.watch.check()]).toEqual(['own', 'own']);
  for (const own of [prefix, `${prefix}-cache`])
    expect(await shared.redis().hget(`${own}:epoch`, 'epoch')).toBe(epoch);
});
