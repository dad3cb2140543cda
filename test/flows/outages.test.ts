import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { type BusyService, startBusyService } from '../support/busy-service.ts';
import type { Answer } from '../support/client.ts';
import { waitUntil } from '../support/wait-until.ts';

/** How long an outage lasts: time enough for every deadline. */
const outageMs = 3_500;
/** How long an API client may wait for its 503. */
const refusedWithinMs = 3_000;

/** Harms a busy service for a while and judges its counting; tells how visitors, creates and an operator fared meanwhile. */
async function goThrough(outage: {
  harm: (service: BusyService) => unknown;
  heal: (service: BusyService) => unknown;
  ownPostgres?: boolean;
  meanwhile?: (service: BusyService) => Promise<unknown>;
}) {
  const { harm, heal, ownPostgres = false, meanwhile = async () => {} } = outage;
  const service = await startBusyService({ ownPostgres });
  try {
    const read = service.watch();
    await harm(service);
    const harmedAt = performance.now();
    await Promise.all([delay(outageMs), meanwhile(service)]);
    const { client } = service;
    const [health, ready] = await Promise.all([client.get('/health'), client.get('/health/ready')]);
    const seen = read();
    await heal(service);
    await waitUntil('creates go on', () => read().creates.at(-1)?.status === 201);
    await waitUntil('it is healthy', async () => (await client.get('/health')).body['status'] === 'healthy');
    const failedAfterwards = read().failures.slice(seen.failures.length);
    await service.settle();
    const createsInOutage = seen.creates.filter(({ begunAt }) => begunAt > harmedAt);
    return { ...seen, createsInOutage, health, ready, failedAfterwards };
  } finally {
    await service.close();
  }
}

const statusesOf = (creates: { status: number }[]) => [...new Set(creates.map(({ status }) => status))];
const longest = (creates: { ms: number }[]) => Math.max(...creates.map(({ ms }) => ms));
const works = ({ health, ready }: { health: Answer; ready: Answer }) => [
  health.body['status'],
  health.body['works'],
  ready.status,
];
const killRedis = ({ redis }: BusyService) => redis.kill();

describe.concurrent('under load, every click is counted, and', () => {
  test('while Redis is down every redirect is answered and every create done', async () => {
    const seen = await goThrough({ harm: killRedis, heal: ({ redis }) => redis.start() });
    expect([seen.failures, seen.failedAfterwards]).toEqual([[], []]);
    expect(statusesOf(seen.creates)).toEqual([201]);
    expect(works(seen)).toEqual([
      'degraded',
      { redirects: 'all', api: true, jobs: false, clicks: 'straight to PostgreSQL' },
      200,
    ]);
  });

  test('while Redis hangs every redirect is answered, 99 of 100 within 300 ms, and every create done', async () => {
    const seen = await goThrough({
      harm: ({ redis }) => redis.hang(),
      heal: ({ redis }) => redis.goOn(),
    });
    expect([seen.failures, seen.failedAfterwards]).toEqual([[], []]);
    expect(seen.answered).toBeGreaterThan(500);
    expect(seen.p99Ms).toBeLessThan(300);
    expect(statusesOf(seen.creates)).toEqual([201]);
    expect(works(seen)).toEqual([
      'degraded',
      { redirects: 'all', api: true, jobs: false, clicks: 'straight to PostgreSQL' },
      200,
    ]);
  });

  test('when all of Redis is deleted no redirect and no create fails', async () => {
    const seen = await goThrough({
      harm: async ({ redis }) => {
        const emptier = new Redis(redis.url);
        for (let times = 0; times < 5; times++) {
          await emptier.flushall();
          await delay(outageMs / 10);
        }
        emptier.disconnect();
      },
      heal: () => {},
    });
    expect([seen.failures, seen.failedAfterwards]).toEqual([[], []]);
    expect(statusesOf(seen.creates)).toEqual([201]);
  });

  test.each([
    {
      outage: 'is down',
      harm: ({ postgres }: BusyService) => postgres!.kill(),
      heal: ({ postgres }: BusyService) => postgres!.start(),
    },
    {
      outage: 'hangs',
      harm: async ({ postgres }: BusyService) => postgres!.hang(),
      heal: async ({ postgres }: BusyService) => postgres!.goOn(),
    },
  ])(
    'while PostgreSQL $outage warm short URLs redirect and creates are told within 3 s to try again',
    async ({ harm, heal }) => {
      const seen = await goThrough({ ownPostgres: true, harm, heal });
      expect([seen.failures, seen.failedAfterwards]).toEqual([[], []]);
      expect(seen.answered).toBeGreaterThan(500);
      expect(statusesOf(seen.createsInOutage)).toEqual([503]);
      expect(seen.createsInOutage.every(({ retryAfter }) => Number(retryAfter) > 0)).toBe(true);
      expect(longest(seen.creates)).toBeLessThan(refusedWithinMs);
      expect(works(seen)).toEqual([
        'degraded',
        { redirects: 'cached', api: false, jobs: true, clicks: 'through Redis' },
        200,
      ]);
    },
  );

  test('while both hang nobody waits for long: what is not known by heart is a 503, and clicks wait in memory', async () => {
    const seen = await goThrough({
      ownPostgres: true,
      harm: ({ postgres, redis }) => {
        postgres!.hang();
        redis.hang();
      },
      heal: ({ postgres, redis }) => {
        postgres!.goOn();
        redis.goOn();
      },
      meanwhile: async ({ client }) => {
        const start = performance.now();
        const answer = await client.get('/unknown1');
        expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '2']);
        expect(performance.now() - start).toBeLessThan(refusedWithinMs);
      },
    });
    expect(seen.failures.filter((failure) => failure !== '503')).toEqual([]);
    expect(statusesOf(seen.createsInOutage)).toEqual([503]);
    expect(longest(seen.creates)).toBeLessThan(refusedWithinMs);
    expect(seen.failedAfterwards.filter((failure) => failure !== '503')).toEqual([]);
    expect(works(seen)).toEqual([
      'unhealthy',
      { redirects: 'known by heart', api: false, jobs: false, clicks: 'kept in memory' },
      503,
    ]);
  });

  test('while the only worker is stopped every redirect is answered and every create done', async () => {
    const seen = await goThrough({
      harm: ({ worker }) => worker.signal('SIGSTOP'),
      heal: ({ worker }) => worker.signal('SIGCONT'),
    });
    expect([seen.failures, seen.failedAfterwards]).toEqual([[], []]);
    expect(statusesOf(seen.creates)).toEqual([201]);
    expect(works(seen)).toEqual([
      'healthy',
      { redirects: 'all', api: true, jobs: true, clicks: 'through Redis' },
      200,
    ]);
  });
});
