import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { createApiKeys } from '../../src/api-keys/api-keys.ts';
import { createLog } from '../../src/log.ts';
import { ClosingStack } from '../../src/resilience/shutdown.ts';
import { closePostgres, openPostgres } from '../../src/storage/postgres/postgres.ts';
import { migrate } from '../../src/storage/schema/migrations.ts';
import { createClient } from '../../test/support/http/client.ts';
import { formatMarkdownTable } from '../../test/support/http/markdown-table.ts';
import { commandOf, launch, placeWeb, readyWeb } from '../../test/support/processes/launch.ts';
import { startTestPostgres, startTestRedis } from '../../test/support/services/servers.ts';
import { insertManyUrls } from '../../test/support/urls/many-urls.ts';
import { medianOf } from '../median.ts';
import { makeBuild } from '../stack.ts';

/** `npm run bench:lists [-- COUNT]`: stores this many short URLs, 10 million by default, and measures how long lists, jobs and commands that
 *  concern all of them take. PostgreSQL has its default settings. */
const count = Number(process.argv[2] ?? 10_000_000);
const requests = 5;
const fillTimeoutMs = 3_600_000;
const closeMs = 30_000;

const lists = [
  '/api/v1/urls',
  '/api/v1/urls?sort=created',
  '/api/v1/urls?sort=-clicks',
  '/api/v1/urls?sort=-clicks&tag=tag-1',
  '/api/v1/urls?sort=-last_click',
  '/api/v1/urls?q=article%207654321',
  '/api/v1/urls?tag=tag-5',
  '/api/v1/urls?host=host77.example',
  '/api/v1/url-count',
  '/api/v1/url-count?tag=tag-1',
  '/api/v1/tags',
  '/api/v1/tags?sort=clicks',
  '/api/v1/hosts',
  '/api/v1/hosts?sort=clicks',
  '/api/v1/hosts?sort=name',
];

const jobs: [name: string, data?: object][] = [
  ['summarise-urls', { always: true }],
  ['warm-cache'],
  ['reconcile-cache'],
  ['cleanup-expired'],
  ['fill-search-texts'],
  ['maintain-analytics'],
  ['audit'],
];

const closing = new ClosingStack(createLog('bench', 'warn'));
try {
  const build = await makeBuild(closing);
  const [postgres, redis] = await Promise.all([startTestPostgres({ keepsCommits: true }), startTestRedis()]);
  closing.defer('PostgreSQL', postgres, (server) => server.stop());
  closing.defer('Redis', redis, (server) => server.stop());
  const db = closing.defer(
    'postgres',
    openPostgres({ url: postgres.url, poolMax: 2, queryTimeoutMs: fillTimeoutMs, name: 'bench' }),
    closePostgres,
  );
  await migrate(db);
  const apiKeys = createApiKeys(db);
  const all = await apiKeys.create('all');
  const own = await apiKeys.create('own', { ownUrlsOnly: true, scopes: ['urls:read'] });
  const startedAt = performance.now();
  await insertManyUrls(db, {
    count,
    createdBy: own.id,
    onProgress: (done) =>
      console.log(`${done.toLocaleString('en')} short URLs after ${secondsSince(startedAt)} s`),
  });
  const stores = { DATABASE_URL: postgres.url, REDIS_URL: redis.url, NODE_ENV: 'production' };
  const placed = await placeWeb(stores);
  const web = await readyWeb(
    closing.defer('web', launch(commandOf(build, 'src/web.js'), placed), (process) => process.stop()),
    placed,
  );

  const run = async (file: string, args: string[]) => {
    const begunAt = performance.now();
    const { stdout } = await promisify(execFile)(process.execPath, [`${build}/${file}`, ...args], {
      env: { ...process.env, ...stores },
    });
    return [`${secondsSince(begunAt)} s`, stdout.trim().split('\n')[0]!];
  };
  const jobRows: string[][] = [];
  for (const [name, data] of jobs)
    jobRows.push([
      `\`${name}\``,
      ...(await run('workers/run-job.js', [name, ...(data ? [JSON.stringify(data)] : [])])),
    ]);
  jobRows.push(['`npm run reconcile`', ...(await run('src/cli/reconcile.js', []))]);
  console.log(formatMarkdownTable(['job or command', 'duration with its start', 'result'], jobRows));

  const listRows: string[][] = [];
  for (const path of lists) {
    const [forAll, forOwn] = [
      await measure(web.baseUrl, all.key, path),
      await measure(web.baseUrl, own.key, path),
    ];
    listRows.push([`\`GET ${decodeURIComponent(path)}\``, forAll, forOwn]);
  }
  console.log(
    formatMarkdownTable(
      ['list', `of all ${count.toLocaleString('en')}`, 'of an API key with a tenth of them'],
      listRows,
    ),
  );
} finally {
  await closing.closeAll(closeMs);
}

/** The first duration and the median of the next ones, in ms, or the status. */
async function measure(baseUrl: string, key: string, path: string): Promise<string> {
  const client = createClient(baseUrl, key);
  const durations: number[] = [];
  for (let i = 0; i <= requests; i += 1) {
    const begunAt = performance.now();
    const { status } = await client.get(path);
    if (status !== 200) return `${status} after ${secondsSince(begunAt)} s`;
    durations.push(performance.now() - begunAt);
  }
  const [first, ...others] = durations;
  return `${Math.round(medianOf(others))} ms (first ${Math.round(first!)})`;
}

function secondsSince(startedAt: number): string {
  return ((performance.now() - startedAt) / 1_000).toFixed(1);
}
