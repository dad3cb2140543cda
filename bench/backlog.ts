import { v7 as uuidv7 } from 'uuid';
import { createOpenBatch } from '../src/clicks/click-batch.ts';
import { isExact, readBooks } from '../src/clicks/click-books.ts';
import { createClickStore } from '../src/clicks/click-store.ts';
import { createClickStream } from '../src/clicks/click-stream.ts';
import { createLog } from '../src/log.ts';
import { migrate } from '../src/migrations.ts';
import { openPostgres } from '../src/postgres.ts';
import { closeRedis, openRedis } from '../src/redis.ts';
import { createJobContext } from '../test/support/job-context.ts';
import { createRandom, createZipf } from '../test/support/random.ts';
import { startTestPostgres, startTestRedis } from '../test/support/servers.ts';
import { insertUrls } from '../test/support/urls.ts';
import { flushClicks } from '../workers/flush-clicks.ts';

/** `npm run bench:backlog`: what happens when workers come back after hours. Lets clicks wait in Redis, in batches as narrow and
 *  as wide as web processes make them while a stream is long, flushes them in one job, and checks every count. */
const urls = 10_000;
const rounds = [
  { clicks: 5_000_000, perBatch: 20 },
  { clicks: 5_000_000, perBatch: 100 },
];
/** Batches on their way at once. */
const window = 500;

const log = createLog('bench', 'warn');
const [postgres, server] = await Promise.all([
  startTestPostgres({ keepsCommits: true }),
  startTestRedis({ appendonly: true }),
]);
const db = openPostgres({ url: postgres.url, poolMax: 4, queryTimeoutMs: 60_000, name: 'bench' });
const redis = openRedis('jobs', server.url, log);
try {
  await migrate(db, postgres.url);
  await insertUrls(db, { begin: 'backlog', count: urls });
  await db('url_stats').update({ click_count: 0 });
  const ids = await db('urls').pluck<number[]>('id');
  const picks = Array.from({ length: 50_000 }, createZipf(ids, createRandom('backlog')));
  let turn = 0;
  const pick = () => picks[turn++ % picks.length]!;
  for (const [round, { clicks, perBatch }] of rounds.entries()) {
    const prefix = `backlog-${round}`;
    const clickStream = createClickStream(redis, { prefix, shards: 1 });
    await fill(clickStream, pick, clicks, perBatch);
    const bytes = Number(await redis.memory('USAGE', `${prefix}:clicks:{0}`));
    const start = performance.now();
    const { flushed } = await flushClicks(
      { clickStream, clickStore: createClickStore(db) },
      [0],
      createJobContext(),
    );
    const seconds = (performance.now() - start) / 1_000;
    console.log(
      `${flushed} clicks in batches of ${perBatch}: ${(bytes / clicks).toFixed(1)} bytes each in Redis, ` +
        `counted in ${seconds.toFixed(1)} s, ${Math.round(flushed / seconds)} a second`,
    );
  }
  const books = await readBooks(db);
  console.log(
    `${books.accepted} accepted, ${books.onUrls} counted: ${isExact(books) ? 'exact' : 'NOT exact'}`,
  );
} finally {
  await closeRedis(redis);
  await db.destroy();
  await Promise.all([postgres.stop(), server.stop()]);
}

async function fill(
  clickStream: ReturnType<typeof createClickStream>,
  pick: () => number,
  clicks: number,
  perBatch: number,
): Promise<void> {
  const producer = uuidv7();
  for (let seq = 0; seq * perBatch < clicks;) {
    const sending: Promise<string>[] = [];
    for (; sending.length < window && seq * perBatch < clicks;) {
      const batch = createOpenBatch();
      for (let i = 0; i < perBatch; i++) batch.add(pick(), Date.now());
      seq += 1;
      sending.push(clickStream.send({ producer, seq, accepted: seq * perBatch, clicks: batch.entries() }));
    }
    await Promise.all(sending);
  }
}
