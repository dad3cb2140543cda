import { setTimeout as delay } from 'node:timers/promises';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import { openPostgres } from '../../../src/storage/postgres/postgres.ts';
import { findMiscounted, readCounted } from '../clicks/counts.ts';
import { type Client, createClient } from '../http/client.ts';
import { track, uniquePrefix } from '../resources.ts';
import { createTemplate, databaseUrl } from '../services/databases.ts';
import { startTestPostgres, startTestRedis } from '../services/servers.ts';
import { createUrl } from '../urls/urls.ts';
import { waitUntil } from '../wait-until.ts';
import { startLoadOnAll } from './load.ts';
import { startWeb, startWorker } from './processes.ts';

const visitors = 8;
const warmCodes = 10;
const visitEveryMs = 10;
const creators = 3;
const createEveryMs = 100;

/** The response to a client that creates a short URL. */
interface Create {
  /** Undefined without a response. */
  status: number | undefined;
  retryAfter: string | null;
  /** On the clock of performance.now(). */
  begunAt: number;
  ms: number;
}

export type BusyService = Awaited<ReturnType<typeof startBusyService>>;

/** A web and a worker process with their own Redis and PostgreSQL. */
export async function startBusyService() {
  const [postgres, redis] = await Promise.all([
    startTestPostgres({ keepsCommits: true }),
    startTestRedis({ appendonly: true }),
  ]);
  const closed = track('servers of a busy service');
  await createTemplate(postgres.url, 'busy');
  const url = databaseUrl(postgres.url, 'busy');
  const db = openPostgres({ url, poolMax: 2, queryTimeoutMs: 60_000, connectMs: 60_000, name: 'test' });
  const settings = {
    DATABASE_URL: url,
    REDIS_URL: redis.url,
    REDIS_PREFIX: uniquePrefix(),
  };
  const [web, worker] = await Promise.all([startWeb(settings), startWorker(settings)]);
  const { key } = await createApiKeys(db).create('test');
  const client = createClient(web.baseUrl, key);
  const codes = await Promise.all(Array.from({ length: warmCodes }, () => createUrl(client)));

  return {
    postgres,
    redis,
    settings,
    web,
    worker,
    client,

    /** Visitors that follow cached short URLs, and clients that create short URLs one after the other. */
    async startTraffic() {
      const earlier = await readCounted(db);
      const visits = startLoadOnAll([web.baseUrl], codes, { clients: visitors, thinkMs: () => visitEveryMs });
      const creates = startCreates(client);
      await waitUntil(
        'visits and creates are made',
        () => visits.answeredInAll() > 200 && creates.all.length > 3,
      );
      const stop = async () => void (await Promise.all([visits.stop(), creates.stop()]));
      return {
        tally: visits.tally,
        creates: creates.all,
        stop,
        /** The short codes whose clicks were not counted exactly once. */
        async findMiscounted() {
          const counted = [...(await readCounted(db))].map(
            ([code, count]) => [code, count - (earlier.get(code) ?? 0)] as const,
          );
          return findMiscounted(visits.tally, new Map(counted));
        },
      };
    },

    /** Stops everything. */
    async close(): Promise<void> {
      postgres.resume();
      redis.resume();
      await Promise.all([web.stop(), worker.stop()]);
      await db.destroy();
      await Promise.all([postgres.stop(), redis.stop()]);
      closed();
    },
  };
}

function startCreates(client: Client) {
  const all: Create[] = [];
  const stopping = new AbortController();
  const create = async () => {
    while (!stopping.signal.aborted) {
      const begunAt = performance.now();
      const answer = await client
        .post('/api/v1/urls', { original_url: 'https://example.com/created' })
        .catch((error: Error & { cause?: { code?: string } }) => error.cause?.code);
      // The service has ended.
      if (answer === 'ECONNREFUSED') break;
      const { status, headers } = typeof answer === 'object' ? answer : {};
      all.push({
        status,
        retryAfter: headers?.get('retry-after') ?? null,
        begunAt,
        ms: performance.now() - begunAt,
      });
      await delay(createEveryMs);
    }
  };
  const ended = Promise.all(Array.from({ length: creators }, create));
  return {
    all,
    stop: async () => {
      stopping.abort();
      await ended;
    },
  };
}
