import { isExact, readAudit } from '../../src/clicks/ledger/audit.ts';
import { createLog } from '../../src/log.ts';
import { openPostgres } from '../../src/storage/postgres/postgres.ts';
import { closeRedis } from '../../src/storage/redis/redis.ts';
import { migrate } from '../../src/storage/schema/migrations.ts';
import { startTestPostgres, startTestRedis } from '../../test/support/services/servers.ts';
import { openSingleRedis } from '../../test/support/services/single-redis.ts';
import { insertUrls } from '../../test/support/urls/urls.ts';
import { measureFlush } from './flush.ts';

/** `npm run bench:backlog`: measures the return of workers after hours. Queues clicks in Redis, in the smallest and
 *  largest batches of web processes with a long stream, flushes them in one job, and checks every count. */
const urls = 10_000;
const rounds = [
  { clicks: 5_000_000, perBatch: 20 },
  { clicks: 5_000_000, perBatch: 100 },
];

const log = createLog('bench', 'warn');
const [postgres, server] = await Promise.all([
  startTestPostgres({ keepsCommits: true }),
  startTestRedis({ appendonly: true }),
]);
const db = openPostgres({ url: postgres.url, poolMax: 4, queryTimeoutMs: 60_000, name: 'bench' });
const redis = openSingleRedis('jobs', server.url, log);
try {
  await migrate(db);
  await insertUrls(db, { begin: 'backlog', count: urls, areClicked: false });
  const urlIds = await db('urls').pluck<number[]>('id');
  for (const [round, { clicks, perBatch }] of rounds.entries()) {
    const { flushed, seconds, bytesEach } = await measureFlush(
      { db, redis },
      { prefix: `backlog-${round}`, urlIds, clicks, perBatch },
    );
    console.log(
      `${flushed} clicks in batches of ${perBatch}: ${bytesEach.toFixed(1)} bytes each in Redis, ` +
        `counted in ${seconds.toFixed(1)} s, ${Math.round(flushed / seconds)} a second`,
    );
  }
  const audit = await readAudit(db);
  console.log(
    `${audit.accepted} accepted, ${audit.onUrls} counted: ${isExact(audit) ? 'exact' : 'NOT exact'}`,
  );
} finally {
  await closeRedis(redis);
  await db.destroy();
  await Promise.all([postgres.stop(), server.stop()]);
}
