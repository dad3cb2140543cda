import { strict as assert } from 'node:assert';
import { setTimeout as delay } from 'node:timers/promises';
import { createApiKeys } from '../../src/api-keys/api-keys.ts';
import { openPostgres } from '../../src/postgres.ts';
import { type Client, createClient } from './client.ts';
import { findMiscounted, readCounted } from './counts.ts';
import { createTemplate, databaseUrl } from './databases.ts';
import { startLoadOnAll } from './load.ts';
import { startWeb, startWorker } from './processes.ts';
import { createDatabase, track, uniquePrefix } from './resources.ts';
import { startTestPostgres, startTestRedis } from './servers.ts';
import { createUrl } from './urls.ts';
import { waitUntil } from './wait-until.ts';

const visitors = 8;
const warmCodes = 10;
const visitEveryMs = 10;
const createEveryMs = 50;

/** What a client was answered that creates short URLs; status 0 when it was not answered. */
interface Create {
  status: number;
  retryAfter: string | null;
  /** On the clock of performance.now(). */
  begunAt: number;
  ms: number;
}

export type BusyService = Awaited<ReturnType<typeof startBusyService>>;

/** A web and a worker process on a Redis of their own, and a PostgreSQL of their own where that is to be harmed; visitors that
 *  follow short URLs which were visited before, and a client that creates one after the other. */
export async function startBusyService({ ownPostgres = false } = {}) {
  const [{ postgres, database }, redis] = await Promise.all([
    openDatabase(ownPostgres),
    startTestRedis({ appendonly: true }),
  ]);
  const closed = track('servers of a busy service');
  const db = openPostgres({ url: database.url, poolMax: 2, queryTimeoutMs: 60_000, name: 'test' });
  const settings = { DATABASE_URL: database.url, REDIS_URL: redis.url, REDIS_PREFIX: uniquePrefix() };
  const [web, worker] = await Promise.all([startWeb(settings), startWorker(settings)]);
  const { key } = await createApiKeys(db).create('test');
  const client = createClient(web.baseUrl, key);
  const codes = await Promise.all(Array.from({ length: warmCodes }, () => createUrl(client)));
  const visits = startLoadOnAll([web.baseUrl], codes, { clients: visitors, thinkMs: () => visitEveryMs });
  const creates = startCreates(client);
  await waitUntil(
    'visitors and creates are busy',
    () => visits.answeredInAll() > 300 && creates.all.length > 3,
  );

  return {
    postgres,
    redis,
    web,
    worker,
    settings,
    client,

    /** Returns what tells how visitors and creates have fared since now. */
    watch() {
      const { latenciesMs, failures } = visits.tally;
      const from = { latencies: latenciesMs.length, failures: failures.length, creates: creates.all.length };
      return () => ({
        answered: latenciesMs.length - from.latencies,
        failures: failures.slice(from.failures),
        p99Ms: percentile(latenciesMs.slice(from.latencies), 0.99),
        creates: creates.all.slice(from.creates),
      });
    },

    /** Lets visitors and creates end, and judges when everything answered is counted. */
    async settle(): Promise<void> {
      await Promise.all([visits.stop(), creates.stop()]);
      await waitUntil(
        'everything answered is counted',
        async () => findMiscounted(visits.tally, await readCounted(db)).length === 0,
        20_000,
      );
      assert.deepEqual([await web.stop(), await worker.stop()], [0, 0]);
      assert.deepEqual(findMiscounted(visits.tally, await readCounted(db)), []);
    },

    /** Ends it all. */
    async close(): Promise<void> {
      postgres?.goOn();
      redis.goOn();
      await Promise.all([visits.stop(), creates.stop(), web.stop(), worker.stop()]);
      await db.destroy();
      await database.drop();
      await Promise.all([postgres?.stop(), redis.stop()]);
      closed();
    },
  };
}

async function openDatabase(ownServer: boolean) {
  if (!ownServer) return { postgres: undefined, database: await createDatabase() };
  const postgres = await startTestPostgres({ keepsCommits: true });
  await createTemplate(postgres.url, 'busy');
  return { postgres, database: { url: databaseUrl(postgres.url, 'busy'), drop: async () => {} } };
}

function startCreates(client: Client) {
  const all: Create[] = [];
  const stopping = new AbortController();
  const ended = (async () => {
    while (!stopping.signal.aborted) {
      const begunAt = performance.now();
      const answer = await client
        .post('/api/v1/urls', { original_url: 'https://example.com/created' })
        .catch(() => undefined);
      all.push({
        status: answer?.status ?? 0,
        retryAfter: answer?.headers.get('retry-after') ?? null,
        begunAt,
        ms: performance.now() - begunAt,
      });
      await delay(createEveryMs);
    }
  })();
  return {
    all,
    stop: async () => {
      stopping.abort();
      await ended;
    },
  };
}

function percentile(values: number[], share: number): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length * share)] ?? NaN;
}
