import { availableParallelism } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { isExact, readAudit } from '../../src/clicks/ledger/audit.ts';
import { createOpenBatch } from '../../src/clicks/recording/open-batch.ts';
import { type ClickStream, createClickStream } from '../../src/clicks/stream/stream.ts';
import { createLog } from '../../src/log.ts';
import { ClosingStack } from '../../src/resilience/shutdown.ts';
import { closePostgres, openPostgres } from '../../src/storage/postgres/postgres.ts';
import { closeRedis } from '../../src/storage/redis/redis.ts';
import { migrate } from '../../src/storage/schema/migrations.ts';
import { commandOf, launch, readyWorker } from '../../test/support/processes/launch.ts';
import { startTestPostgres, startTestRedis } from '../../test/support/services/servers.ts';
import { openSingleRedis } from '../../test/support/services/single-redis.ts';
import { insertUrls } from '../../test/support/urls/urls.ts';
import { createClicks } from '../load/clicks.ts';
import { medianOf } from '../median.ts';
import { readBusyMs } from '../processors.ts';
import { makeBuild } from '../stack.ts';

/** `npm run bench:flush-workers`: measures how many clicks with all details one, two and four workers count per second, all on the same
 *  short URLs. Each shard has the clicks of a part of the short URLs, or for comparison those of some web processes on all of them. */
const shards = 4;
const urls = 10_000;
const clicks = Number(process.argv[2] ?? 600_000);
const perBatch = 50;
const rounds = 3;
const arrangements = [
  { name: 'a part of the short URLs', workers: [1, 2, 4], shardOf: (urlId: number) => urlId % shards },
  { name: 'all short URLs', workers: [1, 2, 4], shardOf: (_: number, n: number) => n % shards },
];
/** Number of batches in transit at once. */
const window = 500;
const closeMs = 30_000;

const log = createLog('bench', 'warn');
const closing = new ClosingStack(log);
try {
  const build = await makeBuild(closing);
  const [postgres, server] = await Promise.all([
    startTestPostgres({ keepsCommits: true }),
    startTestRedis({ appendonly: true }),
  ]);
  closing.defer('PostgreSQL', postgres, ({ stop }) => stop());
  closing.defer('Redis', server, ({ stop }) => stop());
  const db = closing.defer(
    'postgres',
    openPostgres({ url: postgres.url, poolMax: 2, queryTimeoutMs: 60_000, name: 'bench' }),
    closePostgres,
  );
  const redis = closing.defer('redis', openSingleRedis('jobs', server.url, log), closeRedis);
  await migrate(db);
  await insertUrls(db, { begin: 'workers', count: urls, areClicked: false });
  const clickOf = createClicks('workers', { urlIds: await db('urls').pluck<number[]>('id'), perMs: 20 });
  const stream = createClickStream(redis, { prefix: 'linkmill', shards });
  const settings = {
    DATABASE_URL: postgres.url,
    REDIS_URL: server.url,
    NODE_ENV: 'production',
    CLICK_SHARDS: String(shards),
  };

  /** Clicks per second of some workers, and busy processors, from the moment at which all of them run. */
  const measure = async (workers: number, shardOf: (urlId: number, n: number) => number) => {
    await fill(stream, clickOf, shardOf);
    const running = Array.from({ length: workers }, () =>
      launch([...commandOf(build, 'workers/main.js'), '--queues', 'flush-clicks'], settings),
    );
    try {
      await Promise.all(running.map(readyWorker));
      const [start, busyBefore] = [performance.now(), readBusyMs()];
      const { waiting } = await stream.readAll();
      while ((await stream.readAll()).waiting > 0) await delay(20);
      const ms = performance.now() - start;
      return { perSecond: (waiting * perBatch * 1_000) / ms, busy: (readBusyMs() - busyBefore) / ms };
    } finally {
      await Promise.all(running.map(async (worker) => await worker.stop()));
    }
  };

  const results = new Map<string, Awaited<ReturnType<typeof measure>>[]>();
  for (let round = 0; round < rounds; round++)
    for (const { name, workers, shardOf } of arrangements)
      for (const count of workers) {
        const key = `workers: ${count}, a shard has ${name}`;
        const result = await measure(count, shardOf);
        results.set(key, [...(results.get(key) ?? []), result]);
        console.log(`round ${round + 1}, ${key}: ${Math.round(result.perSecond)} a second`);
      }
  for (const [key, all] of results) {
    const perSecond = Math.round(medianOf(all.map((one) => one.perSecond)));
    const busy = medianOf(all.map((one) => one.busy)).toFixed(2);
    console.log(`${key}: ${perSecond} a second, ${busy} of ${availableParallelism()} processors busy`);
  }
  const audit = await readAudit(db);
  console.log(
    `${audit.accepted} accepted, ${audit.onUrls} counted: ${isExact(audit) ? 'exact' : 'NOT exact'}`,
  );
} finally {
  await closing.closeAll(closeMs);
}

/** Sends clicks in batches, as web processes do, each of a producer of its shard. */
async function fill(
  stream: ClickStream,
  clickOf: ReturnType<typeof createClicks>,
  shardOf: (urlId: number, n: number) => number,
): Promise<void> {
  const producers = Array.from({ length: shards }, (_, shard) => ({
    producer: stream.createProducer(shard),
    seq: 0,
    batch: createOpenBatch(),
  }));
  let sending: Promise<string>[] = [];
  for (let n = 0; n < clicks; n++) {
    const { urlId, atMs, detail } = clickOf(n);
    const own = producers[shardOf(urlId, n)]!;
    own.batch.add(urlId, atMs, detail);
    if (own.batch.clicks < perBatch) continue;
    own.seq += 1;
    const { producer, seq, batch } = own;
    own.batch = createOpenBatch();
    sending.push(stream.send({ producer, seq, accepted: seq * perBatch, clicks: batch.entries() }));
    if (sending.length < window) continue;
    await Promise.all(sending);
    sending = [];
  }
  await Promise.all(sending);
}
