import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type BusyService, startBusyService } from '../../support/processes/busy-service.ts';
import type { Tally } from '../../support/processes/load.ts';
import { startWorker } from '../../support/processes/processes.ts';
import { readSlowness } from '../../support/processes/slowness.ts';
import { waitUntil } from '../../support/wait-until.ts';

/** The longest time until an API client gets its 503. */
const rejectedWithinMs = 3_000;
/** The longest time until an API client gets its 503 once the circuit is open. */
const rejectedAtOnceMs = 500;
/** The minimum number of visits during an outage, even on a busy machine. */
const visits = 300;

interface Outage {
  begin: (service: BusyService) => Promise<unknown>;
  end: (service: BusyService) => Promise<unknown>;
  lastsMs: number;
  /** Whether the creates that began during the outage show it; an outage lasts until they do. */
  isSeen?: (creates: { status: number | undefined; ms: number }[]) => boolean;
}

function useBusyService() {
  let service: BusyService;
  beforeAll(async () => {
    service = await startBusyService();
  });
  afterAll(async () => {
    await service.close();
  });
  return () => service;
}

/** Puts a busy service through an outage and waits until it is healthy and has counted every click exactly once. Resolves to
 *  the results of visits, creates and health checks. */
async function runOutage(service: BusyService, { begin, end, lastsMs, isSeen = () => true }: Outage) {
  const { client, web } = service;
  const loggedBefore = web.output().length;
  const { tally, creates, stop, findMiscounted } = await service.startTraffic();
  try {
    const before = { latencies: tally.latenciesMs.length, visits: visitsOf(tally), creates: creates.length };
    await begin(service);
    const outageBegan = performance.now();
    await delay(lastsMs);
    await waitUntil('visitors have seen the outage', () => visitsOf(tally) > before.visits + visits);
    const beginsIn = ({ begunAt }: { begunAt: number }) => begunAt > outageBegan;
    await waitUntil('clients have seen the outage', () => isSeen(creates.filter(beginsIn)));
    const [health, ready] = await Promise.all([client.get('/health'), client.get('/health/ready')]);
    const latenciesMs = tally.latenciesMs.slice(before.latencies).sort((a, b) => a - b);
    const during = creates.slice(before.creates);
    await end(service);
    await waitUntil('creates succeed', () => creates.at(-1)?.status === 201);
    await waitUntil(
      'the service is healthy',
      async () => (await client.get('/health')).body['status'] === 'healthy',
    );
    await stop();
    await waitUntil('every click is counted', async () => (await findMiscounted()).length === 0, 20_000);
    const { status, works } = health.body;
    return {
      failures: tally.failures,
      p99Ms: latenciesMs[Math.floor(latenciesMs.length * 0.99)] ?? NaN,
      creates: summarise(during),
      /** Creates that began during the outage. */
      newCreates: summarise(during.filter(beginsIn)),
      toOperators: { status, works, ready: ready.status },
      logged: (store: string) =>
        web
          .output()
          .slice(loggedBefore)
          .split('\n')
          .filter((line) => line.startsWith('{'))
          // Errors of waiting requests also name their store, but in a nested field.
          .map((line) => JSON.parse(line) as { store?: string; msg: string })
          .filter((entry) => entry.store === store)
          .map((entry) => entry.msg),
    };
  } finally {
    await stop();
  }
}

const openedAndClosed = ['store is unavailable, circuit opened', 'store is available again, circuit closed'];
const visitsOf = ({ latenciesMs, failures }: Tally) => latenciesMs.length + failures.length;

const summarise = (creates: { status: number | undefined; retryAfter: string | null; ms: number }[]) => ({
  statuses: [...new Set(creates.map(({ status }) => status))],
  canRetry: creates.every(({ retryAfter }) => Number(retryAfter) > 0),
  longestMs: Math.max(...creates.map(({ ms }) => ms)),
});

describe.concurrent('an outage of Redis or the worker loses no click', () => {
  const service = useBusyService();
  const withoutRedis = {
    status: 'degraded',
    works: { redirects: 'all', api: 'all', jobs: false, clicks: 'postgres' },
    ready: 200,
  };

  test.sequential('redirects and creates succeed while Redis is down', async () => {
    const seen = await runOutage(service(), {
      begin: ({ redis }) => redis.kill(),
      end: ({ redis }) => redis.start(),
      lastsMs: 2_000,
    });
    expect(seen.failures).toEqual([]);
    expect(seen.creates.statuses).toEqual([201]);
    expect(seen.toOperators).toEqual(withoutRedis);
  });

  test.sequential('redirects and creates succeed while Redis hangs, with a p99 of visits below 300 ms', async () => {
    const seen = await runOutage(service(), {
      begin: async ({ redis }) => redis.hang(),
      end: async ({ redis }) => redis.resume(),
      lastsMs: 2_500,
    });
    expect(seen.failures).toEqual([]);
    expect(seen.p99Ms).toBeLessThan(300 * readSlowness());
    expect(seen.creates.statuses).toEqual([201]);
    expect(seen.toOperators).toEqual(withoutRedis);
  });

  test.sequential('redirects and creates succeed after repeated FLUSHALL', async () => {
    const seen = await runOutage(service(), {
      begin: async ({ redis }) => {
        const emptier = new Redis(redis.url);
        for (let times = 0; times < 3; times++) {
          await emptier.flushall();
          await delay(300);
        }
        emptier.disconnect();
      },
      end: async () => {},
      lastsMs: 300,
    });
    expect(seen.failures).toEqual([]);
    expect(seen.creates.statuses).toEqual([201]);
  });

  test.sequential('redirects and creates succeed while the worker is stopped', async () => {
    const seen = await runOutage(service(), {
      begin: async ({ worker }) => worker.signal('SIGSTOP'),
      end: async ({ worker }) => worker.signal('SIGCONT'),
      lastsMs: 1_500,
    });
    expect(seen.failures).toEqual([]);
    expect(seen.creates.statuses).toEqual([201]);
    expect(seen.toOperators).toEqual({
      status: 'healthy',
      works: { redirects: 'all', api: 'all', jobs: true, clicks: 'redis' },
      ready: 200,
    });
  });
});

describe.concurrent('an outage of PostgreSQL or both stores loses no click', () => {
  const service = useBusyService();

  test.sequential.each([
    {
      outage: 'is down',
      begin: ({ postgres }: BusyService) => postgres.kill(),
      end: ({ postgres }: BusyService) => postgres.start(),
      lastsMs: 2_000,
    },
    {
      outage: 'hangs',
      begin: async ({ postgres }: BusyService) => postgres.hang(),
      end: async ({ postgres }: BusyService) => postgres.resume(),
      lastsMs: 4_500,
    },
  ])('cached short URLs redirect and creates get 503 within 3 s while PostgreSQL $outage', async (outage) => {
    const isAtOnce = ({ status, ms }: { status: number | undefined; ms: number }) =>
      status === 503 && ms < rejectedAtOnceMs;
    const seen = await runOutage(service(), { ...outage, isSeen: (creates) => creates.some(isAtOnce) });
    expect(seen.failures).toEqual([]);
    expect(seen.newCreates).toMatchObject({ statuses: [503], canRetry: true });
    expect(seen.creates.longestMs).toBeLessThan(rejectedWithinMs);
    // The circuit may open once more while PostgreSQL starts, and on a busy machine more often.
    const logged = seen.logged('PostgreSQL');
    expect([logged[0], logged.at(-1)]).toEqual(openedAndClosed);
    expect(logged.length).toBeLessThanOrEqual(2 + 2 * readSlowness());
    expect(seen.toOperators).toEqual({
      status: 'degraded',
      works: { redirects: 'cached', api: 'none', jobs: true, clicks: 'redis' },
      ready: 200,
    });
  });

  test.sequential('creates get 503 within 3 s and redirects fail only with 503 while both stores hang', async () => {
    const seen = await runOutage(service(), {
      begin: async ({ postgres, redis }) => {
        postgres.hang();
        redis.hang();
      },
      end: async ({ postgres, redis }) => {
        postgres.resume();
        redis.resume();
      },
      lastsMs: 3_500,
    });
    expect(seen.failures.filter((failure) => failure !== '503')).toEqual([]);
    expect(seen.newCreates).toMatchObject({ statuses: [503], canRetry: true });
    expect(seen.creates.longestMs).toBeLessThan(rejectedWithinMs);
    expect(seen.toOperators).toEqual({
      status: 'unhealthy',
      works: { redirects: 'memory', api: 'none', jobs: false, clicks: 'memory' },
      ready: 503,
    });
  });

  test.sequential('SIGTERM fails no visit and no create and ends web and worker within 10 s', async () => {
    const { web, worker, settings, startTraffic } = service();
    const { tally, creates, stop, findMiscounted } = await startTraffic();
    const signalledAt = performance.now();
    const ends = await Promise.all([web.stop(), worker.stop()]);
    const endedAfterMs = performance.now() - signalledAt;
    await stop();
    const nextWorker = await startWorker(settings);
    await waitUntil('every click is counted', async () => (await findMiscounted()).length === 0);
    await nextWorker.stop();

    expect(tally.failures).toEqual([]);
    expect(summarise(creates).statuses).toEqual([201]);
    expect(ends).toEqual([0, 0]);
    expect(endedAfterMs).toBeLessThan(10_000);
  });
});
