import express from 'express';
import { Redis } from 'ioredis';
import pg from 'pg';

/** Another common design: short URLs cached in Redis, clicks counted there by HINCRBY, and one UPDATE for each clicked short URL once a second. A
 *  crash between the two commands that take the counts loses them. */
const flushEveryMs = 1_000;
const pool = new pg.Pool({ connectionString: process.env['DATABASE_URL'], max: 10 });
const redis = new Redis(process.env['REDIS_URL']!);
const app = express();

async function findUrl(code: string): Promise<string | undefined> {
  const cached = await redis.get(`usual:url:${code}`);
  if (cached !== null) return cached;
  const { rows } = await pool.query<{ original_url: string }>(
    'select original_url from usual_urls where short_code = $1',
    [code],
  );
  if (rows[0] !== undefined) await redis.set(`usual:url:${code}`, rows[0].original_url, 'EX', 3_600);
  return rows[0]?.original_url;
}

async function flush(): Promise<void> {
  const clicks = await redis.hgetall('usual:clicks');
  await redis.del('usual:clicks');
  for (const [code, count] of Object.entries(clicks))
    await pool.query('update usual_urls set clicks = clicks + $2 where short_code = $1', [code, count]);
}

// oxlint-disable-next-line oxc/no-async-endpoint-handlers -- Express 5 answers what such a handler rejects with.
app.get('/:code', async (request, response) => {
  const { code } = request.params;
  const url = await findUrl(code);
  if (url === undefined) {
    response.sendStatus(404);
    return;
  }
  await redis.hincrby('usual:clicks', code, 1);
  response.redirect(301, url);
});
setInterval(() => void flush(), flushEveryMs);
app.listen(Number(process.env['PORT']), process.env['HOST']!, () => console.log('web is listening'));
