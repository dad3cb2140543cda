import { afterEach, expect, test } from 'vitest';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import { createQueues } from '../../../src/queues/queues.ts';
import { type Knex, openPostgres } from '../../../src/storage/postgres/postgres.ts';
import { listMigrations, ownMigrations } from '../../../src/storage/schema/migration-files.ts';
import { migrate, rollback } from '../../../src/storage/schema/migrations.ts';
import { createClient } from '../../support/http/client.ts';
import { requestJob } from '../../support/jobs.ts';
import { runProcess, startWeb, startWorker } from '../../support/processes/processes.ts';
import { createDatabase, silentLog, useRedis } from '../../support/resources.ts';
import { addColumn, copyMigrations } from '../../support/services/migrations-folder.ts';
import { waitUntil } from '../../support/wait-until.ts';

/** PostgreSQL's own template, which has no tables. */
const emptyTemplate = 'template0';
const latest = (await listMigrations(ownMigrations)).at(-1)!;
const breaking = addColumn('color', `export const breaksOlderCode = 'every short URL needs a color';`);

const redis = useRedis();
let database: Awaited<ReturnType<typeof createDatabase>>;
let db: Knex;
let settings: Record<string, string>;
let databases = 0;

async function useTemplate(template?: string): Promise<void> {
  database = await createDatabase(template);
  db = openPostgres({ url: database.url, poolMax: 3, queryTimeoutMs: 60_000, name: 'test' });
  databases += 1;
  // A Redis prefix belongs to one database.
  const prefix = `${redis.prefix}-${databases}`;
  settings = { DATABASE_URL: database.url, REDIS_URL: redis.url(), REDIS_PREFIX: prefix };
}
afterEach(async () => {
  await db.destroy();
  await database.drop();
});

const readCodes = async (client: ReturnType<typeof createClient>) => {
  const { body } = await client.get('/health');
  return (body['conditions'] as { code: string }[]).map(({ code }) => code);
};

test('a web process on an empty database is not ready, answers 503, and recovers once migrated', async () => {
  await useTemplate(emptyTemplate);
  const web = await startWeb(settings);
  const client = createClient(web.baseUrl, 'lm_any_key');
  await waitUntil(
    'the web process is not ready',
    async () => (await client.get('/health/ready')).status === 503,
  );
  expect(await readCodes(client)).toContain('schema_outdated');
  expect((await client.get('/health')).body['status']).toBe('degraded');
  const answers = [
    await client.get('/unknown'),
    await client.get('/api/v1/urls'),
    await client.post('/api/v1/urls', { original_url: 'https://example.com/' }),
  ];
  expect(answers.map(({ status }) => status)).toEqual([503, 503, 503]);
  expect(answers.map(({ headers }) => headers.get('retry-after'))).not.toContain(null);

  await migrate(db);
  await waitUntil('the web process is ready', async () => (await client.get('/health/ready')).status === 200);
  const { key } = await createApiKeys(db).create('test');
  const made = await createClient(web.baseUrl, key).post('/api/v1/urls', {
    original_url: 'https://example.com/',
  });
  expect(made.status).toBe(201);
  expect(await readCodes(client)).toEqual([]);
  expect(await web.stop()).toBe(0);
});

test('a worker on an outdated database takes no job until the database is migrated', async () => {
  await useTemplate();
  const web = await startWeb(settings);
  const { key } = await createApiKeys(db).create('test');
  const client = createClient(web.baseUrl, key);
  const job = await requestJob(client, 'cleanup-expired');
  await db('knex_migrations').where({ name: latest }).delete();
  const worker = await startWorker(settings);
  const other = await startWorker(settings);
  const sentence = `the first is ${latest}: run \\"npm run migrate\\"`;
  await waitUntil('the worker reports the outdated schema', () => worker.output().includes(sentence));
  expect(await other.stop()).toBe(0);

  // Longer than the watchdog lets a worker leave a job unprocessed.
  const looks = new Set<string>();
  await waitUntil(
    'the worker has checked the schema five times',
    async () => {
      for (const look of await readLooks()) looks.add(look);
      return looks.size >= 5;
    },
    30_000,
  );
  // The web process may have seen the missing migration as well, and would answer 503.
  const { all: queues } = createQueues(redis.redis(), settings['REDIS_PREFIX']!, silentLog);
  const queue = queues.find(({ name }) => name === 'cleanup-expired');
  expect(await queue?.getJobState(job.split('/').at(-1)!)).toBe('waiting');

  await db('knex_migrations').insert({ name: latest, batch: 1, migration_time: new Date() });
  await waitUntil('the job is done', async () => (await client.get(job)).body['state'] === 'completed');
  expect(worker.output()).not.toContain('replacing it');
  expect(await web.stop()).toBe(0);
  expect(await worker.stop()).toBe(0);
});

/** The time of the last migration check of each worker connection. */
async function readLooks(): Promise<string[]> {
  const { rows } = await db.raw<{ rows: { at: string }[] }>(
    `select query_start::text as at from pg_stat_activity
     where datname = current_database() and application_name = 'linkmill-worker' and query like '%knex_migrations%'`,
  );
  return rows.map(({ at }) => at);
}

test('processes and commands run on a compatible newer database and log a warning', async () => {
  await useTemplate();
  const newer = await copyMigrations({ '20270101_000001_add_color': addColumn('color') });
  await migrate(db, { folder: newer.url });
  await newer.remove();
  const warning = 'This database has migrations of a newer version: 20270101_000001_add_color.';

  const [web, worker] = await Promise.all([startWeb(settings), startWorker(settings)]);
  const client = createClient(web.baseUrl);
  expect((await client.get('/health/ready')).status).toBe(200);
  expect(await readCodes(client)).toEqual([]);
  for (const { output } of [web, worker])
    await waitUntil('the process warns', () => output().includes(warning));
  expect(await web.stop()).toBe(0);
  expect(await worker.stop()).toBe(0);

  expect(await runProcess('src/cli/migrate.js', settings)).toEqual({
    code: 0,
    stdout: 'Nothing to migrate.\n',
    stderr: expect.stringContaining(warning),
  });
  expect(await runProcess('src/cli/api-key.js', settings, ['create', '--name', 'newer'])).toMatchObject({
    code: 0,
    stderr: expect.stringContaining(warning),
  });
});

test('processes and commands reject an incompatible newer database with the reason', async () => {
  await useTemplate();
  const web = await startWeb(settings);
  const client = createClient(web.baseUrl);
  const newer = await copyMigrations({ '20270101_000001_need_color': breaking });
  await migrate(db, { folder: newer.url });
  const reason = 'is not compatible with it: 20270101_000001_need_color (every short URL needs a color)';

  const late = await startWeb(settings);
  const lateClient = createClient(late.baseUrl);
  await waitUntil(
    'the web process is not ready',
    async () => (await lateClient.get('/health/ready')).status === 503,
  );
  expect(await readCodes(lateClient)).toEqual(['schema_incompatible']);
  expect((await lateClient.get('/api/v1/urls')).status).toBe(503);
  for (const run of [
    await runProcess('src/cli/migrate.js', settings),
    await runProcess('src/cli/api-key.js', settings, ['list']),
    await runProcess('workers/run-job.js', settings, ['cleanup-expired']),
  ])
    expect(run).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining(reason) });

  // A process that was ready checks the schema less often.
  await waitUntil(
    'the web process is not ready',
    async () => (await client.get('/health/ready')).status === 503,
    35_000,
  );
  await rollback(db, { folder: newer.url });
  await migrate(db);
  await waitUntil('both web processes are ready', async () => {
    const both = await Promise.all([client.get('/health/ready'), lateClient.get('/health/ready')]);
    return both.every(({ status }) => status === 200);
  });
  await newer.remove();
  expect(await web.stop()).toBe(0);
  expect(await late.stop()).toBe(0);
});

test.each([
  ['src/cli/api-key.js', ['list'], 1],
  ['src/cli/api-key.js', ['create', '--name', 'early'], 1],
  ['workers/run-job.js', ['flush-clicks'], 1],
  ['src/cli/reconcile.js', [], 2],
])('%s %j on an outdated database exits with code %i and the reason', async (entry, args, code) => {
  await useTemplate();
  await db('knex_migrations').where({ name: latest }).delete();
  expect(await runProcess(entry, settings, args)).toEqual({
    code,
    stdout: '',
    stderr: expect.stringContaining(`the first is ${latest}: run "npm run migrate".`),
  });
});

test('a web process that may not read the migration history works and reports degraded health', async () => {
  await useTemplate();
  const { key } = await createApiKeys(db).create('test');
  const role = `linkmill_web_${process.pid}`;
  await db.raw(`create role ${role} login password 'web';
    grant all on all tables in schema public to ${role}; grant all on all sequences in schema public to ${role};
    revoke all on knex_migrations from ${role}`);
  const url = new URL(database.url);
  Object.assign(url, { username: role, password: 'web' });
  const web = await startWeb({ ...settings, DATABASE_URL: url.href });
  const client = createClient(web.baseUrl, key);
  await waitUntil('the web process reports a condition', async () => (await readCodes(client)).length > 0);
  expect((await client.get('/health/ready')).status).toBe(200);
  expect(await readCodes(client)).toEqual(['schema_unknown']);
  expect((await client.post('/api/v1/urls', { original_url: 'https://example.com/' })).status).toBe(201);
  await db.raw(`grant select on knex_migrations to ${role}`);
  await waitUntil('the web process reports no condition', async () => (await readCodes(client)).length === 0);
  expect(await web.stop()).toBe(0);
  await db.raw(`drop owned by ${role}; drop role ${role}`);
});

test('a web process that starts while PostgreSQL is down does not report an outdated schema', async () => {
  await useTemplate();
  const lame = await startWeb({ ...settings, DATABASE_URL: 'postgres://unknown@127.0.0.1:1/nothing' });
  const client = createClient(lame.baseUrl);
  expect(await readCodes(client)).not.toContain('schema_outdated');
  await waitUntil('the web process is ready', async () => (await client.get('/health/ready')).status === 200);
  expect(await lame.stop()).toBe(0);
});
