import { loadConfigOrExit } from '../config/load.ts';
import { workerSettings } from '../config/worker.ts';
import { createEpochEvidence } from '../epoch/epoch-evidence.ts';
import { createEpochStamp } from '../epoch/epoch-stamp.ts';
import { createEpochStore } from '../epoch/epoch-store.ts';
import { createLog } from '../log.ts';
import { openPostgres } from '../storage/postgres/postgres.ts';
import { closeRedis, openRedis } from '../storage/redis/redis.ts';
import { readArguments, refuseArguments } from './command-line.ts';

/** `npm run restore-complete`: begins a new epoch of the database and hands Redis over to it. For a restore that no process can
 *  notice by itself, such as one of single tables, and to give a Redis that belonged to another database to this one.
 *  Exit code 0 when it is done, 1 when a store refused or does not answer, or the processes of another database use Redis. */
const queryTimeoutMs = 60_000;
/** A stamp that is younger is renewed by running processes. */
const runningMs = 5_000;

const usage = `Usage: npm run restore-complete
  Begins a new epoch of the database and hands Redis over to it: after a restore that the service cannot detect, such as
  one of single tables, or to take over a Redis that belonged to another database.
  Exit code 0 when it is done, 1 when it failed.
`;

readArguments(usage, refuseArguments);
const config = loadConfigOrExit(workerSettings);
const log = createLog('restore-complete', 'silent');
const db = openPostgres({ url: config.DATABASE_URL, poolMax: 1, queryTimeoutMs, name: 'restore-complete' });
const redis = openRedis('jobs', config.REDIS_URL, log);
try {
  await complete();
} catch (error) {
  const reason = error instanceof Error ? error.message.split(' - ').at(-1) : String(error);
  process.stderr.write(`restore-complete failed: ${reason}\n`);
  process.exitCode = 1;
} finally {
  await Promise.all([db.destroy(), closeRedis(redis)]);
}

async function complete(): Promise<void> {
  const store = createEpochStore(db);
  const stamp = createEpochStamp(redis, config.REDIS_PREFIX);
  // Redis first: an epoch that begins without it would have to begin again.
  const held = await stamp.read();
  const before = await store.read();
  if (held && held.identity !== before.identity && held.ageMs < runningMs)
    throw new Error(
      'the processes of another database use Redis under this REDIS_PREFIX: stop them, or set another prefix',
    );
  const above = Math.max(held?.versionFloor ?? 0, held?.version ?? 0);
  const epoch = await store.begin('restored', above);
  if (!(await stamp.write(epoch, createEpochEvidence().note(epoch), held?.epoch)))
    throw new Error('another process changed the epoch in Redis at the same time: run this again');
  await stamp.dropContent();
  process.stdout.write(
    `Epoch ${epoch.number} began. Cached short URLs are invalid, and the key pool is empty.\n` +
      'Waiting clicks of short URLs that this database does not have go to the table click_quarantine.\n' +
      'Run "npm run reconcile" to see which clicks are missing.\n',
  );
}
