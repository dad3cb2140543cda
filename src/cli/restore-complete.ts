import { loadConfigOrExit } from '../config/load.ts';
import { workerSettings } from '../config/worker.ts';
import { createEpochEvidence } from '../epoch/epoch-evidence.ts';
import { createEpochStamp, type EpochStamp } from '../epoch/epoch-stamp.ts';
import { createEpochStore } from '../epoch/epoch-store.ts';
import { createLog } from '../log.ts';
import { openPostgres } from '../storage/postgres/postgres.ts';
import { isRedisUnavailable } from '../storage/redis/errors.ts';
import { closeRedis, openRedis } from '../storage/redis/redis.ts';
import { readArguments, rejectArguments } from './command-line.ts';

/** `npm run restore-complete`: begins a new epoch of the database and assigns Redis to it. For a restore that the
 *  processes cannot detect, such as one of single tables, and to reuse the Redis of another database. Exit code 0 on
 *  success, 1 when a store rejects the change or is unavailable, or when processes of another database use Redis. */
const queryTimeoutMs = 60_000;
/** A younger stamp belongs to running processes. */
const runningStampMs = 5_000;

const usage = `Usage: npm run restore-complete
  Begins a new epoch of the database and assigns Redis to it: after a restore that the service cannot detect, such as
  one of single tables, or to reuse a Redis that belonged to another database.
  Exit code 0 when it is done, 1 when it failed.
`;

readArguments(usage, rejectArguments);
const config = loadConfigOrExit(workerSettings);
const log = createLog('restore-complete', 'silent');
const db = openPostgres({ url: config.DATABASE_URL, poolMax: 1, queryTimeoutMs, name: 'restore-complete' });
const { REDIS_URL, REDIS_CACHE_URL } = config;
const services = (REDIS_CACHE_URL === undefined ? [REDIS_URL] : [REDIS_URL, REDIS_CACHE_URL]).map((url) =>
  openRedis('jobs', url, log),
);
try {
  await complete();
} catch (error) {
  const reason = error instanceof Error ? error.message.split(' - ').at(-1) : String(error);
  process.stderr.write(`restore-complete failed: ${reason}\n`);
  process.exitCode = 1;
} finally {
  await Promise.all([db.destroy(), ...services.map(closeRedis)]);
}

async function complete(): Promise<void> {
  const store = createEpochStore(db);
  const stamps = services.map((redis) => createEpochStamp(redis, config.REDIS_PREFIX));
  // Read Redis first: an epoch that begins while Redis is unavailable would have to begin again.
  const held = (await Promise.all(stamps.map(readStamp))).filter((one) => one !== undefined);
  const current = await store.read();
  const isInUse = held.some(
    ({ before }) => before && before.identity !== current.identity && before.ageMs < runningStampMs,
  );
  if (isInUse)
    throw new Error(
      'processes of another database use Redis under this REDIS_PREFIX: stop them, or set another prefix',
    );
  const above = Math.max(
    ...held.map(({ before }) => Math.max(before?.versionFloor ?? 0, before?.version ?? 0)),
  );
  const epoch = await store.begin('restored', above);
  const state = createEpochEvidence().record(epoch);
  for (const { stamp, before } of held) {
    if (!(await stamp.write(epoch, state, before?.epoch)))
      throw new Error('another process changed the epoch in Redis at the same time: run the command again');
    await stamp.deleteEpochData();
  }
  process.stdout.write(
    `Epoch ${epoch.number} began. Cached short URLs are invalid, and the key pool is empty.\n` +
      'Waiting clicks on short URLs that this database does not have go to the table click_dead_letters.\n' +
      'Run "npm run reconcile" to list the missing clicks.\n',
  );
}

/** The stamp and what it holds. Undefined for a cache that is away: when it returns, the processes take it over. */
async function readStamp(stamp: EpochStamp, number: number) {
  try {
    return { stamp, before: await stamp.read() };
  } catch (error) {
    if (number === 0 || !isRedisUnavailable(error)) throw error;
    process.stderr.write('The Redis of REDIS_CACHE_URL is not available. Its entries are invalid too.\n');
    return undefined;
  }
}
