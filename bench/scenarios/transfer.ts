import { readFile, rm } from 'node:fs/promises';
import { request } from 'node:http';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createApiKeys } from '../../src/api-keys/api-keys.ts';
import { closePostgres, openPostgres } from '../../src/storage/postgres/postgres.ts';
import { migrate } from '../../src/storage/schema/migrations.ts';
import { createClient } from '../../test/support/http/client.ts';
import { buildInto } from '../../test/support/processes/build.ts';
import { commandOf, launch, placeWeb, readyWeb, readyWorker } from '../../test/support/processes/launch.ts';
import { startTestPostgres, startTestRedis } from '../../test/support/services/servers.ts';
import { waitUntil } from '../../test/support/wait-until.ts';

/** `npm run bench:transfer`: imports a million short URLs and exports them again through one web and one worker
 *  process. Prints the duration of each step and the peak memory of both processes, and checks that the export equals
 *  the import. */
const rows = Number(process.argv[2] ?? 1_000_000);
const goalMegabytes = 256;
const patienceMs = 3_600_000;

const build = path.resolve(`.cache/transfer-build-${process.pid}`);
const [postgres, redis] = await Promise.all([
  startTestPostgres({ keepsCommits: true }),
  startTestRedis(),
  buildInto(build),
]);
const db = openPostgres({ url: postgres.url, poolMax: 2, queryTimeoutMs: 600_000, name: 'bench' });
try {
  await migrate(db);
  const { key } = await createApiKeys(db).create('bench');
  const stores = { DATABASE_URL: postgres.url, REDIS_URL: redis.url, NODE_ENV: 'production' };
  const worker = await readyWorker(launch(commandOf(build, 'workers/main.js'), stores));
  const placed = await placeWeb(stores);
  const web = await readyWeb(launch(commandOf(build, 'src/web.js'), placed), placed);
  try {
    console.log(`before: web ${await peakOf(web.pid)} MB, worker ${await peakOf(worker.pid)} MB`);
    await measure(createClient(web.baseUrl, key), web.baseUrl, key);
    console.log(
      `most memory: web ${await peakOf(web.pid)} MB, worker ${await peakOf(worker.pid)} MB (goal: ${goalMegabytes})`,
    );
  } finally {
    await Promise.all([web.stop(), worker.stop()]);
  }
} finally {
  await closePostgres(db);
  await Promise.all([postgres.stop(), redis.stop(), rm(build, { recursive: true, force: true })]);
}

async function measure(client: ReturnType<typeof createClient>, baseUrl: string, key: string): Promise<void> {
  let location = '';
  await timed('uploaded', async () => {
    location = await uploadRows(baseUrl, key);
  });
  await timed('imported', async () => {
    const body = await whenOver(client, location);
    if (body['created'] !== rows) throw new Error(`not all were imported: ${JSON.stringify(body)}`);
  });
  const asked = await client.post('/api/v1/exports', { format: 'csv' });
  location = String(asked.headers.get('location'));
  await timed('exported', async () => void (await whenOver(client, location)));
  await timed('downloaded', async () => {
    const found = await countLines(`${baseUrl}${location}/file`, key);
    if (found !== rows + 1) throw new Error(`${found} lines came out`);
  });
}

async function timed(what: string, task: () => Promise<void>): Promise<void> {
  const begin = performance.now();
  await task();
  const seconds = (performance.now() - begin) / 1_000;
  console.log(`${rows} rows ${what} in ${seconds.toFixed(1)} s, ${Math.round(rows / seconds)} a second`);
}

/** Two thirds have custom codes, a third has none. */
function* makeRows() {
  yield 'short_code,original_url,title,tags,created_at,click_count\n';
  for (let i = 0; i < rows; i += 1_000) {
    const lines = Array.from({ length: Math.min(1_000, rows - i) }, (_, j) => {
      const n = i + j;
      const code = n % 3 === 0 ? '' : `transfer-${n}`;
      return `${code},https://example.com/a/page/of/some/length/${n}?with=query,"Title, of ${n}",one|two,2024-01-01T00:00:00Z,${n % 100}\n`;
    });
    yield lines.join('');
  }
}

async function uploadRows(baseUrl: string, key: string): Promise<string> {
  const sending = request(`${baseUrl}/api/v1/imports`, {
    method: 'POST',
    headers: { 'x-api-key': key, 'content-type': 'text/csv' },
  });
  const answered = new Promise<string>((resolve, reject) => {
    sending.on('response', (response) => {
      response.resume();
      if (response.statusCode === 202) resolve(String(response.headers.location));
      else reject(new Error(`the upload was answered ${response.statusCode}`));
    });
    sending.on('error', reject);
  });
  await Promise.all([answered, pipeline(Readable.from(makeRows()), sending)]);
  return await answered;
}

async function whenOver(client: ReturnType<typeof createClient>, location: string) {
  return await waitUntil(
    'the transfer has ended',
    async () => {
      const { body } = await client.get(location);
      return (body['state'] === 'completed' || body['state'] === 'failed') && body;
    },
    patienceMs,
  );
}

async function countLines(url: string, key: string): Promise<number> {
  const response = await fetch(url, { headers: { 'x-api-key': key } });
  let lines = 0;
  for await (const part of response.body ?? [])
    lines += (part as Uint8Array).reduce((sum, byte) => sum + (byte === 0x0a ? 1 : 0), 0);
  return lines;
}

/** The peak memory of a process in megabytes. */
async function peakOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1]) / 1_000);
}
