import { v7 as uuidv7 } from 'uuid';
import { beforeAll, expect, test } from 'vitest';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import { createClickStream } from '../../../src/clicks/stream/stream.ts';
import { jobNames } from '../../../src/queues/jobs.ts';
import { createUrlIds, makeBatch, readCounts } from '../../support/clicks/clicks.ts';
import { useWeb } from '../../support/http/web-app.ts';
import { dataOf, requestJob } from '../../support/jobs.ts';
import { sendRedirects } from '../../support/processes/load.ts';
import { runProcess, startWorker } from '../../support/processes/processes.ts';
import { storeSettings } from '../../support/resources.ts';
import { createUrl } from '../../support/urls/urls.ts';
import { waitUntil } from '../../support/wait-until.ts';

const web = useWeb();
let settings: Record<string, string>;
beforeAll(() => {
  settings = storeSettings(web.database, web.redis);
});

const runJobAlone = async (...args: string[]) => await runProcess('workers/run-job.js', settings, args);
const runApiKey = async (args: string[], input = '') =>
  await runProcess('src/cli/api-key.js', settings, args, input);

test('flush-clicks without a queue counts the waiting clicks and prints its summary as JSON', async () => {
  // The producer has ended: a running web process would write its clicks to PostgreSQL itself after 3 s.
  const [urlId] = (await createUrlIds(web.database.db(), 1)) as [number];
  const stream = createClickStream(web.redis.redis(), { prefix: web.redis.prefix, shards: 1 });
  await stream.send(makeBatch(uuidv7(), 1, urlId, 30));
  const { code: exitCode, stdout, stderr } = await runJobAlone('flush-clicks');

  expect(exitCode).toBe(0);
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toMatchObject({ flushed: 30, deadLetters: 0 });
  expect(await readCounts(web.database.db(), [urlId])).toEqual([30]);
  expect(JSON.parse((await runJobAlone('flush-clicks')).stdout)).toMatchObject({ flushed: 0 });
});

test.each(jobNames)('%s runs without a queue and prints one line of JSON', async (name) => {
  const { code, stdout, stderr } = await runJobAlone(name, JSON.stringify(dataOf(name)));
  expect(code).toBe(0);
  expect(stderr).toBe('');
  expect(stdout).toMatch(/^\{.*\}\n$/);
  expect(JSON.parse(stdout)).toBeTypeOf('object');
});

test('a job that runs without a queue takes its data as JSON', async () => {
  const before = Number((await web.client().get('/health')).body['kgs_pool_size']);
  const { code, stdout } = await runJobAlone('replenish-keys', `{"target":${before + 500}}`);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ added: 500, reused: 0, poolSize: before + 500 });
});

test.each([
  { args: ['no-such-job'], message: 'Unknown job: no-such-job' },
  { args: [], message: 'No job given.' },
  { args: ['replenish-keys', '{"target":'], message: 'must be JSON' },
  { args: ['replenish-keys', '{"target":"many"}'], message: 'Data of replenish-keys' },
  { args: ['replenish-keys', '{"goal":1}'], message: 'Data of replenish-keys' },
])('run-job with $args exits with code 2 and lists the jobs', async ({ args, message }) => {
  const { code, stdout, stderr } = await runJobAlone(...args);
  expect(code).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toContain(message);
  for (const name of jobNames) expect(stderr).toContain(`  ${name} `);
});

test.each([
  { entry: 'workers/run-job.js', args: ['flush-clicks'], missing: ['DATABASE_URL', 'REDIS_URL'] },
  { entry: 'workers/main.js', args: [], missing: ['DATABASE_URL', 'REDIS_URL'] },
  { entry: 'src/web.js', args: [], missing: ['DATABASE_URL', 'REDIS_URL', 'BASE_URL'] },
  { entry: 'src/cli/migrate.js', args: [], missing: ['DATABASE_URL'] },
  { entry: 'src/cli/api-key.js', args: ['list'], missing: ['DATABASE_URL'] },
  { entry: 'src/cli/sign-in.js', args: [], missing: ['DATABASE_URL', 'BASE_URL'] },
])(
  '$entry without settings exits with code 1 and names each missing setting',
  async ({ entry, args, missing }) => {
    const { code, stderr } = await runProcess(entry, {}, args);
    expect(code).toBe(1);
    expect(stderr.match(/\w+(?= is not set)/g)?.sort()).toEqual(missing.toSorted());
  },
);

test('a failing job exits with code 1 and the reason', async () => {
  const db = web.database.db();
  await db.schema.renameTable('url_stats', 'url_stats_away');
  const { code, stderr } = await runJobAlone('warm-cache');
  await db.schema.renameTable('url_stats_away', 'url_stats');
  expect(code).toBe(1);
  expect(stderr).toContain('relation "url_stats" does not exist');
});

test('an API key is created, listed, accepted, revoked, and rejected by the API within 2 s', async () => {
  const made = await runApiKey(['create', '--name', 'round trip', '--json']);
  const { id, key } = JSON.parse(made.stdout) as { id: number; key: string };
  const readStatus = async () => (await web.client(key).get('/api/v1/urls/unknown1')).status;
  const readLine = async () =>
    (await runApiKey(['list'])).stdout.split('\n').find((line) => line.startsWith(`${id} `));

  expect(await readStatus()).toBe(404);
  expect((await runApiKey(['check'], `${key}\n`)).code).toBe(0);
  expect(await readLine()).toMatch(/ {2}round trip {2}.* {2}valid$/);
  expect(await readLine()).not.toContain(key);

  expect((await runApiKey(['revoke', '--id', String(id)])).code).toBe(0);
  await waitUntil('the API rejects the API key', async () => (await readStatus()) === 401, 2_200);
  expect((await runApiKey(['check'], key)).code).toBe(1);
  expect(await readLine()).toMatch(/ {2}revoked \S+$/);
  expect((await runApiKey(['revoke', '--id', String(id)])).code).toBe(1);
});

test('api-key create prints only the key on standard output', async () => {
  const made = await runApiKey(['create', '--name', 'script']);
  expect(made.stdout).toMatch(/^lm_\S+\n$/);
  expect((await web.client(made.stdout.trim()).get('/api/v1/urls/unknown1')).status).toBe(404);
});

test('an API key can have scopes, a restriction to its own short URLs and an expiry time', async () => {
  const options = [
    '--scopes',
    'stats:read,urls:read',
    '--own-urls-only',
    '--expires-in-days',
    '30',
    '--json',
  ];
  const made = await runApiKey(['create', '--name', 'limited', ...options]);
  const { id, key, scopes } = JSON.parse(made.stdout) as { id: number; key: string; scopes: string[] };
  expect(scopes).toEqual(['urls:read', 'stats:read']);

  const { body } = await web.client(key).get('/api/v1/api-keys/current');
  expect(body).toMatchObject({ id, name: 'limited', scopes, own_urls_only: true });
  const days = (Date.parse(String(body['expires_at'])) - Date.now()) / 86_400_000;
  expect(Math.round(days * 100)).toBe(3_000);
  expect((await web.client(key).post('/api/v1/urls', {})).status).toBe(403);
  expect((await runApiKey(['list'])).stdout).toMatch(
    / {2}limited +lm_\w+_… {2}urls:read,stats:read \(own URLs only\) {2}\S+ {2}never +valid until \S+\n/,
  );
});

test('a rotated API key accepts its old secret only during the grace period', async () => {
  const made = await runApiKey(['create', '--name', 'rotated', '--json']);
  const { id, key: first } = JSON.parse(made.stdout) as { id: number; key: string };
  const rotate = async (...options: string[]) =>
    (await runApiKey(['rotate', '--id', String(id), ...options])).stdout.trim();
  const second = await rotate('--grace-hours', '0.5');
  const { find } = createApiKeys(web.database.db());
  expect(await find(first)).toMatchObject({ id });
  expect(await find(second)).toMatchObject({ id });
  const third = await rotate('--grace-hours', '0');
  expect(await find(first)).toBeUndefined();
  expect(await find(second)).toBeUndefined();
  expect(await find(third)).toMatchObject({ id });
});

test('a failing api-key command exits with code 1 and the reason', async () => {
  const { code, stdout, stderr } = await runApiKey(['rotate', '--id', '999999999']);
  expect(code).toBe(1);
  expect(stdout).toBe('');
  expect(stderr).toBe('API key not found.\n');
});

test.each([
  [[]],
  [['create']],
  [['revoke', '--id', 'x']],
  [['unknown']],
  [['list', '--what']],
  [['list', 'more']],
])('api-key with %j exits with code 2 and prints the usage', async (args) => {
  const { code, stderr } = await runApiKey(args);
  expect(code).toBe(2);
  expect(stderr).toContain('Usage: npm run api-key');
});

test('a worker with --queues flush-clicks processes only that queue', async () => {
  const worker = await startWorker(settings, ['--queues', 'flush-clicks']);
  const other = await requestJob(web.client(), 'cleanup-expired');
  const code = await createUrl(web.client());
  await sendRedirects(web.baseUrl(), [code], 1);
  await waitUntil('the click is counted', async () => {
    const { body } = await web.client().get(`/api/v1/urls/${code}/stats`);
    return body['clicks'] === 1;
  });
  const { body } = await web.client().get(other);
  expect(await worker.stop()).toBe(0);
  expect(body['state']).toBe('waiting');
});

test.each([
  ['an unknown queue', ['--queues', 'flush-clicks,nothing'], 'Unknown queue: nothing.'],
  ['an unknown option', ['--queue', 'flush-clicks'], 'Usage: node dist/workers/main.js'],
  ['an option without its value', ['--queues'], 'Usage: node dist/workers/main.js'],
])('a worker with %s exits with code 2 and lists the queues', async (_, args, message) => {
  const { code, stderr } = await runProcess('workers/main.js', settings, args);
  expect(code).toBe(2);
  expect(stderr).toContain(message);
  for (const name of jobNames) expect(stderr).toContain(name);
});

const usages = [
  { entry: 'src/web.js', usage: 'Usage: npm run web' },
  { entry: 'src/cli/migrate.js', usage: 'Usage: npm run migrate' },
  { entry: 'src/cli/reconcile.js', usage: 'Usage: npm run reconcile' },
  { entry: 'src/cli/api-key.js', usage: 'Usage: npm run api-key' },
  { entry: 'workers/run-job.js', usage: 'Usage: npm run job' },
  { entry: 'workers/main.js', usage: 'Usage: node dist/workers/main.js' },
];

test.each(usages)('$entry --help prints its usage and exits with code 0 without settings', async (one) => {
  for (const option of ['--help', '-h']) {
    const { code, stdout, stderr } = await runProcess(one.entry, {}, [option]);
    expect(code).toBe(0);
    expect(stderr).toBe('');
    expect(stdout).toContain(one.usage);
  }
});

test.each(usages)('$entry with an unknown option prints its usage and exits with code 2', async (one) => {
  const { code, stdout, stderr } = await runProcess(one.entry, settings, ['--no-such-option']);
  expect(code).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toMatch(/^[^\n]*--no-such-option[^\n]*\n/);
  expect(stderr).toContain(one.usage);
});

test.each(['-1', '3601', 'soon', ''])('reconcile with a wait of "%s" exits with code 2', async (wait) => {
  const { code, stderr } = await runProcess('src/cli/reconcile.js', settings, [`--wait=${wait}`]);
  expect(code).toBe(2);
  expect(stderr).toContain('--wait must be a number of seconds from 0 to 3600');
});

test.each(['yesterday', '2026-13-01', '2026-11-30T08:00', ''])(
  'reconcile since "%s" exits with code 2',
  async (since) => {
    const { code, stderr } = await runProcess('src/cli/reconcile.js', settings, [`--since=${since}`]);
    expect(code).toBe(2);
    expect(stderr).toContain('--since must be a date, or a time with its zone');
  },
);

test('api-key list --json prints the fields of each API key without its secret', async () => {
  const made = await runApiKey(['create', '--name', 'for programs', '--json']);
  const { id, key } = JSON.parse(made.stdout) as { id: number; key: string };
  const { stdout } = await runApiKey(['list', '--json']);
  const listed = (JSON.parse(stdout) as { id: number }[]).find((one) => one.id === id);
  expect(listed).toMatchObject({ name: 'for programs', scopes: ['admin'], revoked_at: null });
  expect(stdout).not.toContain(key);
});
