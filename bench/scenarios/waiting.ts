import { v7 as uuidv7 } from 'uuid';
import { createOpenBatch } from '../../src/clicks/recording/open-batch.ts';
import { createClickStream } from '../../src/clicks/stream/stream.ts';
import { createLog } from '../../src/log.ts';
import { closeRedis, openRedis } from '../../src/storage/redis/redis.ts';
import { startTestRedis } from '../../test/support/services/servers.ts';
import { createClicks } from '../load/clicks.ts';

/** `npm run bench:waiting`: measures the Redis memory of a waiting click with full detail, in batches of 1 to 200
 *  clicks; 20 clicks are what 20 ms collect at 1,000 per second. Exit code 1 if those exceed the limit. */
const clicks = 200_000;
const perBatch = [1, 5, 20, 50, 200];
const goal = { perBatch: 20, bytesEach: 30 };
/** Number of batches in transit at once, and clicks per millisecond. */
const window = 500;
const clicksPerMs = 3;
const urlIds = Array.from({ length: 10_000 }, (_, n) => 100_000 + n);

const server = await startTestRedis();
const redis = openRedis('jobs', server.url, createLog('bench', 'warn'));
try {
  const clickOf = createClicks('waiting', { urlIds, perMs: clicksPerMs });
  for (const size of perBatch) {
    const bytesEach = await measure(size, clickOf);
    const hasGoal = size >= goal.perBatch;
    const isMissed = hasGoal && bytesEach > goal.bytesEach;
    if (isMissed) process.exitCode = 1;
    console.log(
      `batches of ${size}: ${bytesEach.toFixed(1)} bytes each${hasGoal ? `, goal ≤ ${goal.bytesEach}: ${isMissed ? 'NOT met' : 'met'}` : ''}`,
    );
  }
} finally {
  await closeRedis(redis);
  await server.stop();
}

/** The average Redis memory per click. */
async function measure(size: number, clickOf: ReturnType<typeof createClicks>): Promise<number> {
  const prefix = `waiting-${size}`;
  const stream = createClickStream(redis, { prefix, shards: 1 });
  const producer = uuidv7();
  const count = Math.ceil(clicks / size);
  let sending: Promise<string>[] = [];
  for (let seq = 1; seq <= count; seq++) {
    const batch = createOpenBatch();
    for (let n = 0; n < size; n++) {
      const { urlId, atMs, detail } = clickOf(seq * size + n);
      batch.add(urlId, atMs, detail);
    }
    sending.push(stream.send({ producer, seq, accepted: seq * size, clicks: batch.entries() }));
    if (sending.length < window) continue;
    await Promise.all(sending);
    sending = [];
  }
  await Promise.all(sending);
  const bytes = Number(await redis.memory('USAGE', `${prefix}:clicks:{0}`, 'SAMPLES', 0));
  return bytes / (count * size);
}
