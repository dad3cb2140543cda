import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, expect, test } from 'vitest';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import { createClient } from '../../support/http/client.ts';
import { upload } from '../../support/http/imports.ts';
import { startWeb, startWorker, type TestProcess } from '../../support/processes/processes.ts';
import { storeSettings, useDatabase, useRedis } from '../../support/resources.ts';
import { waitUntil } from '../../support/wait-until.ts';

const database = useDatabase();
const redis = useRedis();
let settings: Record<string, string>;
let key: string;

beforeAll(async () => {
  settings = storeSettings(database, redis);
  ({ key } = await createApiKeys(database.db()).create('test'));
});

const rows = 60_000;
const fileOf = (begin: string) =>
  `short_code,original_url,click_count\n${Array.from({ length: rows }, (_, i) => `${i % 3 === 0 ? '' : `${begin}${i}`},https://example.com/${begin}${i},2\n`).join('')}`;

test('an import whose workers are killed imports each row exactly once', async () => {
  const web = await startWeb(settings);
  const client = createClient(web.baseUrl, key);
  let worker: TestProcess = await startWorker(settings);
  const path = await upload(client, fileOf('kill-'));
  const read = async () => (await client.get(path)).body as { state: string; rows: number };
  for (let times = 1; times <= 3; times++) {
    const before = (await read()).rows;
    await waitUntil('the import continues', async () => (await read()).rows > before, 60_000);
    worker.signal('SIGKILL');
    expect(await worker.ended).toBe('SIGKILL');
    expect((await read()).state).toBe('running');
    worker = await startWorker(settings);
  }
  await waitUntil('the import has ended', async () => (await read()).state === 'completed', 120_000);
  expect(await read()).toMatchObject({ rows, created: rows, skipped: 0, failed: 0 });
  const { rows: found } = await database.db().raw(
    `select count(*) as urls, count(distinct original_url) as different, sum(click_count) as clicks
     from urls join url_stats on url_id = id where original_url like 'https://example.com/kill-%'`,
  );
  expect(found).toEqual([{ urls: rows, different: rows, clicks: String(2 * rows) }]);
  expect((await database.db()('imported_clicks').first()).clicks).toBe(2 * rows);
  await Promise.all([worker.stop(), web.stop()]);
});

/** Begins an upload of this number of bytes. */
function beginUpload(baseUrl: string, bytes: number) {
  const sending = request(`${baseUrl}/api/v1/imports`, {
    method: 'POST',
    headers: { 'x-api-key': key, 'content-type': 'text/csv', 'content-length': bytes },
  });
  const answered = new Promise<number>((resolve, reject) => {
    sending.on('response', (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sending.on('error', reject);
  });
  return { sending, answered };
}

test('an upload that takes longer than the limit of other requests is accepted', async () => {
  const web = await startWeb(settings);
  const line = 'https://example.com/slow\n';
  const { sending, answered } = beginUpload(web.baseUrl, 'original_url\n'.length + 20 * line.length);
  sending.write('original_url\n');
  for (let i = 0; i < 20; i++) {
    await delay(1_000);
    sending.write(line);
  }
  sending.end();
  expect(await answered).toBe(202);
  await web.stop();
});

test('an upload that is cut off in the middle leaves no import behind', async () => {
  const web = await startWeb(settings);
  const client = createClient(web.baseUrl, key);
  const before = (await client.get('/api/v1/imports')).body;
  const { sending, answered } = beginUpload(web.baseUrl, 2_000_000);
  sending.write('original_url\n'.padEnd(1_000_000, 'https://example.com/cut\n'));
  const findUploading = async () =>
    await database.db()('imports').where({ state: 'uploading', deleted_at: null }).first();
  await waitUntil('a part of the upload is stored', async () => ((await findUploading())?.bytes ?? 0) > 0);
  sending.destroy(new Error('cut'));
  await expect(answered).rejects.toThrow('cut');
  await waitUntil('the interrupted upload is removed', async () => (await findUploading()) === undefined);
  expect((await client.get('/api/v1/imports')).body).toEqual(before);
  await web.stop();
});

/** The peak resident memory of a process in megabytes. */
async function peakOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1]) / 1_000;
}

test.runIf(existsSync('/proc/self/status'))(
  'an upload of 300 MB takes less than 100 MB of memory',
  async () => {
    const web = await startWeb(settings);
    const part = 'https://example.com/a/page\n'.repeat(10_000);
    const { sending, answered } = beginUpload(web.baseUrl, 'original_url\n'.length + part.length * 1_112);
    const before = await peakOf(web.pid);
    const file = Readable.from(['original_url\n', ...Array.from({ length: 1_112 }, () => part)]);
    await Promise.all([pipeline(file, sending), answered]);
    expect(await answered).toBe(202);
    expect((await peakOf(web.pid)) - before).toBeLessThan(100);
    await web.stop();
  },
  120_000,
);
