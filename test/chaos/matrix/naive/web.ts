import { createServer } from 'node:http';
import { Redis } from 'ioredis';
import pg from 'pg';

/** A web process of the usual design: it redirects once Redis has incremented the counter, and also when Redis fails,
 *  so that statistics never affect visitors. */
const redis = new Redis(process.env['REDIS_URL']!);
redis.on('error', () => undefined);

const db = new pg.Client({ connectionString: process.env['DATABASE_URL']! });
db.on('error', () => undefined);
await db.connect();
const { rows } = await db.query<{ id: string; short_code: string; original_url: string }>(
  'select id, short_code, original_url from urls',
);
await db.end();
const urls = new Map(rows.map((row) => [row.short_code, row]));

const server = createServer((request, response) => {
  const url = urls.get((request.url ?? '').slice(1));
  if (!url) {
    response.writeHead(404).end();
    return;
  }
  const redirect = () => response.writeHead(301, { Location: url.original_url }).end();
  redis.hincrby('clicks', url.id, 1).then(redirect, redirect);
});
server.listen(Number(process.env['PORT']), '127.0.0.1', () => process.stdout.write('web is listening\n'));

process.once('SIGTERM', () => {
  server.close(() => process.exit(0));
  server.closeAllConnections();
});
