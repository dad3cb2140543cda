import { expect, test } from 'vitest';
import { findFreePort } from '../../../scripts/services/ports.ts';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import { createCodes, findMiscounted, readCounted } from '../../support/clicks/counts.ts';
import { createClient } from '../../support/http/client.ts';
import { createLaterBuild } from '../../support/processes/later-build.ts';
import { startLoadOnAll } from '../../support/processes/load.ts';
import {
  runProcess,
  startProcess,
  startWeb,
  startWorker,
  type TestProcess,
} from '../../support/processes/processes.ts';
import { storeSettings, useDatabase, useRedis } from '../../support/resources.ts';
import { addColumn, addIndex } from '../../support/services/migrations-folder.ts';
import { waitUntil } from '../../support/wait-until.ts';

const database = useDatabase();
const redis = useRedis();

test('a rolling upgrade and a rollback under load fail no request and lose no click', async () => {
  const settings = storeSettings(database, redis);
  const later = await createLaterBuild({
    '20270101_000001_add_color': addColumn('color'),
    '20270101_000002_find_titles': addIndex('urls_title', 'on urls (title)', '../src/storage/schema', 'js'),
  });
  const current = { startWeb, startWorker };
  const ports = [String(await findFreePort()), String(await findFreePort())];
  const place = (port: string) => ({ ...settings, PORT: port });
  let webs: (TestProcess & { baseUrl: string })[] = [];
  for (const port of ports) webs.push(await startWeb(place(port)));
  let worker = await startWorker(settings);
  const baseUrls = webs.map(({ baseUrl }) => baseUrl);
  const codes = await createCodes(database.db(), baseUrls[0]!, 5);
  const load = startLoadOnAll(baseUrls, codes, { clients: 8, thinkMs: () => 5 });
  const creating = await startCreating(baseUrls);

  /** Replaces one process after the other, each once the previous one is ready, as the section "Upgrade" states. */
  async function roll(version: Pick<typeof later, 'startWeb' | 'startWorker'>): Promise<void> {
    const replaced: typeof webs = [];
    for (const [i, port] of ports.entries()) {
      expect(await webs[i]!.stop()).toBe(0);
      const web = await version.startWeb(place(port));
      replaced.push(web);
      const client = createClient(web.baseUrl);
      await waitUntil(
        'the new web process is ready',
        async () => (await client.get('/health/ready')).status === 200,
      );
    }
    webs = replaced;
    expect(await worker.stop()).toBe(0);
    worker = await version.startWorker(settings);
    const before = load.answeredInAll();
    await waitUntil('the load continues', () => load.answeredInAll() > before + 200, 30_000);
  }

  await waitUntil('the load runs', () => load.answeredInAll() > 200, 30_000);
  const step = later.migrate(settings);
  expect(await step.ended).toBe(0);
  expect(step.output()).toContain('Migrated: 20270101_000001');
  await roll(later);
  await roll(current);
  expect(await runProcess('src/cli/migrate.js', settings)).toMatchObject({
    code: 0,
    stderr: expect.stringContaining('migrations of a newer version'),
  });

  const [tally, created] = await Promise.all([load.stop(), creating.stop()]);
  for (const process of [...webs, worker]) expect(await process.stop()).toBe(0);
  const flush = startProcess('workers/run-job.js', settings, ['flush-clicks']);
  expect(await flush.ended).toBe(0);
  expect(tally.failures).toEqual([]);
  expect(created.failures).toEqual([]);
  expect(created.made).toBeGreaterThan(10);
  expect(findMiscounted(tally, await readCounted(database.db()))).toEqual([]);
  await later.remove();
});

/** Creates short URLs on the web processes in turn until stopped. After a refused connection it tries the next process, as a load
 *  balancer does. */
async function startCreating(baseUrls: string[]) {
  const { key } = await createApiKeys(database.db()).create('test');
  const clients = baseUrls.map((baseUrl) => createClient(baseUrl, key));
  const outcome = { made: 0, failures: [] as number[] };
  const stopping = new AbortController();
  const ended = (async () => {
    for (let i = 0; !stopping.signal.aborted; i++) {
      const status = await clients[i % clients.length]!.post('/api/v1/urls', {
        original_url: `https://example.com/${i}`,
      }).then((answer) => answer.status, refusedOrThrow);
      if (status === 201) outcome.made += 1;
      else if (status !== undefined) outcome.failures.push(status);
    }
    return outcome;
  })();
  return {
    stop: async () => {
      stopping.abort();
      return await ended;
    },
  };
}

function refusedOrThrow(error: unknown): undefined {
  const { cause } = error as { cause?: { code?: string } };
  if (cause?.code !== 'ECONNREFUSED') throw error;
}
