import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCodes, findMiscounted, readCounted } from '../../support/clicks/counts.ts';
import { startLoad } from '../../support/processes/load.ts';
import { startWeb, startWorker } from '../../support/processes/processes.ts';
import { uniquePrefix, useDatabase } from '../../support/resources.ts';
import { startTestRedis, type TestRedis } from '../../support/services/servers.ts';
import { waitUntil } from '../../support/wait-until.ts';

const database = useDatabase();
const role = `rotated_${process.pid}`;
let folder: string;
let redisServer: TestRedis;
let redisAdmin: Redis;
let admin: pg.Client;

beforeAll(async () => {
  folder = await mkdtemp(path.join(await realpath(tmpdir()), 'linkmill-secrets-'));
  redisServer = await startTestRedis();
  redisAdmin = new Redis(redisServer.url);
  admin = new pg.Client({ connectionString: database.url() });
  await admin.connect();
});
afterAll(async () => {
  redisAdmin.disconnect();
  await redisServer.stop();
  await admin.query(`drop owned by ${role}; drop role ${role}`);
  await admin.end();
  await rm(folder, { recursive: true });
});

/** Closes every connection of the service to both stores, so that it must log in again. */
async function disconnectService(): Promise<void> {
  await admin.query('select pg_terminate_backend(pid) from pg_stat_activity where usename = $1', [role]);
  await redisAdmin.client('KILL', 'USER', 'linkmill');
}

test('logins use password files that are rotated under load, and no click is lost', async () => {
  const files = { postgres: path.join(folder, 'postgres'), redis: path.join(folder, 'redis') };
  await writeFile(files.postgres, 'first password\n');
  await writeFile(files.redis, 'first-password\n');
  await admin.query(`create role ${role} login superuser password 'first password'`);
  await redisAdmin.call('ACL', 'SETUSER', 'linkmill', 'on', '>first-password', '~*', '&*', '+@all');
  const url = new URL(database.url());
  const settings = {
    DATABASE_HOST: url.hostname,
    DATABASE_PORT: url.port,
    DATABASE_NAME: url.pathname.slice(1),
    DATABASE_USER: role,
    DATABASE_PASSWORD_FILE: files.postgres,
    REDIS_HOST: '127.0.0.1',
    REDIS_PORT: String(redisServer.port),
    REDIS_USER: 'linkmill',
    REDIS_PASSWORD_FILE: files.redis,
    REDIS_PREFIX: uniquePrefix(),
  };
  const [web, worker] = await Promise.all([startWeb(settings), startWorker(settings)]);
  const codes = await createCodes(database.db(), web.baseUrl, 5);
  const load = startLoad(web.baseUrl, codes);
  await waitUntil('the load runs', () => load.answeredInAll() > 500);

  // As in docs/runbook.md, "Rotate passwords".
  await admin.query(`alter role ${role} password 'second password'`);
  await writeFile(files.postgres, 'second password\n');
  await redisAdmin.call('ACL', 'SETUSER', 'linkmill', '>second-password');
  await writeFile(files.redis, 'second-password\n');
  await redisAdmin.call('ACL', 'SETUSER', 'linkmill', '<first-password');
  const answered = load.answeredInAll();
  await waitUntil('the load continues', () => load.answeredInAll() > answered + 500);
  const tally = await load.stop();
  expect(tally.failures).toEqual([]);

  await disconnectService();
  await waitUntil(
    'the service is healthy again',
    async () => {
      const health = (await (await fetch(`${web.baseUrl}/health`)).json()) as { status: string };
      return health.status === 'healthy';
    },
    30_000,
  );
  await waitUntil(
    'every click is counted',
    async () => findMiscounted(tally, await readCounted(database.db())).length === 0,
    30_000,
  );
  const output = web.output() + worker.output();
  expect(await Promise.all([web.stop(), worker.stop()])).toEqual([0, 0]);
  for (const secret of ['first password', 'second password', 'first-password', 'second-password'])
    expect(output).not.toContain(secret);
});
