import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import { isExactSince, readAudit } from '../../../src/clicks/ledger/audit.ts';
import { type Knex, openPostgres } from '../../../src/storage/postgres/postgres.ts';
import { createHeaders, detailSettings } from '../../load/day/visitors.ts';
import { readCounted } from '../../support/clicks/counts.ts';
import { createClient } from '../../support/http/client.ts';
import type { Settings } from '../../support/processes/launch.ts';
import { startLoadOnAll } from '../../support/processes/load.ts';
import { createRandom, createZipf, type Random } from '../../support/random.ts';
import { startTestRedis } from '../../support/services/servers.ts';
import { insertUrls } from '../../support/urls/urls.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { createFakeClock } from './fake-clock.ts';
import { type Member, startMember } from './member.ts';
import type { System } from './system.ts';
import type { Testbed } from './testbed.ts';

const shortUrls = 200;
const people = 500;
/** Web processes report accepted clicks once a second. */
const reportedAfterMs = 1_500;
const clients = 32;
/** Range of a client's pause between requests; keeps two CPUs below saturation. */
const thinkMs = [8, 32] as const;

export type Stack = Awaited<ReturnType<typeof startStack>>;

/** Starts two web processes and two workers of a system, with their own database and Redis, under load. With
 *  `fakeClocks`, the clocks of the first web process and worker can be moved. */
export async function startStack(
  testbed: Testbed,
  system: System,
  options: {
    seed: string;
    appendonly: boolean;
    fakeClocks: boolean;
    settings: Settings;
    print: (line: string) => void;
  },
) {
  const { print } = options;
  const random = createRandom(options.seed);
  const problems: string[] = [];
  /** Timeouts that were exceeded, which a busy machine may cause. */
  const delays: string[] = [];
  /** Clicks per short code that a lost part of the database had counted. */
  const lostPart = new Map<string, number>();
  const closers: (() => Promise<unknown>)[] = [];
  const close = async () => {
    testbed.stacks.delete(close);
    for (const closer of closers.toReversed())
      await closer().catch((error: Error) => print(`  ${error.message}`));
  };
  testbed.stacks.add(close);
  try {
    const database = await testbed.createDatabase();
    closers.push(database.drop);
    const db = openPostgres({
      url: database.url,
      poolMax: 4,
      queryTimeoutMs: 60_000,
      connectMs: 60_000,
      name: 'test',
    });
    closers.push(() => db.destroy());
    const redis = await startTestRedis({ appendonly: options.appendonly });
    closers.push(async () => {
      redis.resume();
      await redis.stop();
    });
    const clock = options.fakeClocks ? await createFakeClock() : undefined;
    if (clock) closers.push(clock.remove);
    const codes = await createShortUrls(db);
    await system.prepare(db);
    const { key } = await createApiKeys(db).create('faults');

    const members: Member[] = [];
    closers.push(async () => {
      // SIGKILL also ends a stopped process.
      await Promise.all(members.map(async (member) => await member.kill()));
      await Promise.all(members.map(async (member) => await member.closeProxies()));
    });
    const start = async (kind: 'web' | 'worker', number: number) => {
      const member = await startMember({
        name: `${kind} ${number}`,
        kind,
        commandLine: system[kind],
        stores: { redis: redis.url, postgres: database.url },
        settings: { ...detailSettings, ...options.settings, ...(number === 1 ? clock?.settings : {}) },
        onUnexpectedEnd: (line) => {
          print(`  ${line}`);
          problems.push(line);
        },
      });
      members.push(member);
      return member;
    };
    const starting = [start('web', 1), start('web', 2), start('worker', 1), start('worker', 2)] as const;
    // If one fails to start, the others must have started before they can be stopped.
    await Promise.allSettled(starting);
    const [web1, web2, worker1, worker2] = await Promise.all(starting);
    const [webs, workers] = [[web1, web2] as const, [worker1, worker2] as const];
    const { tally, stop: stopLoad } = startLoadOnAll(
      webs.map((web) => web.baseUrl),
      codes,
      {
        clients,
        pick: createZipf(codes, createRandom(`${options.seed} load`)),
        headers: createHeaders(options.seed, people),
        thinkMs: () => random.between(...thinkMs),
      },
    );
    // Clients may be waiting for processes that are stopped next.
    closers.push(async () => void stopLoad());

    return {
      system,
      print: (line: string) => print(`  ${line}`),
      random: createRandom(`${options.seed} choices`) satisfies Random,
      problems,
      delays,
      lostPart,
      webs,
      workers,
      members,
      redis,
      postgres: testbed.postgres,
      databaseUrl: database.url,
      db,
      clock,
      tally,
      stopLoad,
      client: (web: Member) => createClient(web.baseUrl, key),
      readCounted: async () => await readCounted(db),

      /** Runs one Redis command without a proxy. */
      async runRedisCommand(command: string, ...args: string[]): Promise<void> {
        const client = new Redis(redis.url, { maxRetriesPerRequest: 0 });
        try {
          await client.call(command, ...args);
        } finally {
          client.disconnect();
        }
      },

      /** Kills a store, runs `meanwhile`, and restarts it. Connections are rejected until then. */
      async restart(store: 'redis' | 'postgres', meanwhile: () => Promise<unknown> = async () => {}) {
        const server = store === 'redis' ? redis : testbed.postgres;
        for (const { proxies } of members) await proxies[store].refuse();
        await server.kill();
        await meanwhile();
        await server.start();
        for (const { proxies } of members) await proxies[store].accept();
      },

      /** Resolves when all clicks answered by now are counted, and none is only in Redis or memory. Counts per short
       *  URL do not show this: newer clicks may make up for older ones that Redis lost. */
      async settle(withinMs = 60_000): Promise<void> {
        // Wait until web processes have reported the accepted clicks.
        await delay(reportedAfterMs);
        const client = new Redis(redis.url, { maxRetriesPerRequest: 0 });
        try {
          const stream = 'linkmill:clicks:{0}';
          const [newest] = await client.xrevrange(stream, '+', '-', 'COUNT', 1);
          const first = await readAudit(db);
          await waitUntil(
            'answered clicks are counted',
            async () =>
              (await client.xrange(stream, '-', newest?.[0] ?? '0-1', 'COUNT', 1)).length === 0 &&
              isExactSince(first, await readAudit(db)),
            withinMs,
          );
        } finally {
          client.disconnect();
        }
      },

      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Waits for a random time. */
export async function pause({ random }: { random: Random }, leastMs: number, mostMs: number): Promise<void> {
  await delay(random.between(leastMs, mostMs));
}

async function createShortUrls(db: Knex): Promise<string[]> {
  await insertUrls(db, { begin: 'fault', count: shortUrls });
  await db('url_stats').update({ click_count: 0 });
  return await db('urls').pluck<string[]>('short_code');
}
