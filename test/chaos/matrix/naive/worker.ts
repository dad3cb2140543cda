import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import pg from 'pg';

/** A worker of the usual, careful design: it renames the hash of counters, so that later clicks belong to the next
 *  batch, and adds it to PostgreSQL with the batch ID, so that no batch is added twice. */
const flushEveryMs = 300;

const ignore = () => undefined;
const redis = new Redis(process.env['REDIS_URL']!);
redis.on('error', ignore);
const db = new pg.Pool({ connectionString: process.env['DATABASE_URL']!, max: 2 });
db.on('error', ignore);

async function flush(): Promise<void> {
  await redis.rename('clicks', `batch:${randomUUID()}`).catch((error: Error) => {
    if (!error.message.includes('no such key')) throw error;
  });
  for (const batch of await redis.keys('batch:*')) {
    await apply(batch, Object.entries(await redis.hgetall(batch)));
    await redis.del(batch);
  }
}

async function apply(batch: string, counts: [id: string, count: string][]): Promise<void> {
  const client = await db.connect();
  client.on('error', ignore);
  let failed: Error | undefined;
  try {
    await client.query('begin');
    const { rowCount } = await client.query('insert into naive_batches values ($1) on conflict do nothing', [
      batch,
    ]);
    if (rowCount === 1) {
      await client.query(
        `update url_stats s set click_count = click_count + c.count
         from unnest($1::bigint[], $2::bigint[]) as c (url_id, count) where c.url_id = s.url_id`,
        [counts.map(([id]) => id), counts.map(([, count]) => count)],
      );
    }
    await client.query('commit');
  } catch (error) {
    failed = error as Error;
    throw error;
  } finally {
    client.off('error', ignore);
    client.release(failed);
  }
}

const stopping = new AbortController();
process.once('SIGTERM', () => stopping.abort());
process.stdout.write('worker is running\n');
while (!stopping.signal.aborted) {
  await flush().catch((error: Error) => process.stderr.write(`${error.message}\n`));
  await delay(flushEveryMs);
}
process.exit(0);
