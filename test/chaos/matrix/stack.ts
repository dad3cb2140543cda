import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import { isExactSince, readAudit } from '../../../src/clicks/ledger/audit.ts';
import { type Knex, openPostgres } from '../../../src/storage/postgres/postgres.ts';
import { createHeaders, detailSettings } from '../../load/day/people.ts';
import { readCounted } from '../../support/clicks/counts.ts';
import { createClient } from '../../support/http/client.ts';
import type { Settings } from '../../support/processes/launch.ts';
import { startLoadOnAll } from '../../support/processes/load.ts';
import { createRandom, createZipf, type Random } from '../../support/random.ts';
import { startTestRedis } from '../../support/services/servers.ts';
import { insertUrls } from '../../support/urls/urls.ts';
import { waitUntil } from '../../support/wait-until.ts';
import type { Bench } from './bench.ts';
import { createFakeClock } from './fake-clock.ts';
import { type Member, startMember } from './member.ts';
import type { System } from './system.ts';

const shortUrls = 200;
const people = 500;
/** Web processes report once a second what they have accepted. */
const reportedAfterMs = 1_500;
const clients = 32;
/** Bounds of a client's pause: few enough requests per second that two processors are not busy all the time. */
const thinkMs = [8, 32] as const;

export type Stack = Awaited<ReturnType<typeof startStack>>;

/** Starts two web and two worker processes of a system, with a database and a Redis of their own, under load. With
 *  `fakeClocks` the clock of the first web and the first worker process can be moved. */
export async function startStack(
  bench: Bench,
  system: System,
  options: {
    seed: string;
    appendonly: boolean;
    fakeClocks: boolean;
    settings: Settings;
    say: (line: string) => void;
  },
) {
  const { say } = options;
  const random = createRandom(options.seed);
  const problems: string[] = [];
  /** What took longer than it may on a machine with nothing beside. */
  const delays: string[] = [];
  /** Clicks per short code that a lost part of the database had counted. */
  const lostPart = new Map<string, number>();
  const closers: (() => Promise<unknown>)[] = [];
  const close = async () => {
    bench.stacks.delete(close);
    for (const closer of closers.toReversed())
      await closer().catch((error: Error) => say(`  ${error.message}`));
  };
  bench.stacks.add(close);
  try {
    const database = await bench.createDatabase();
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
      redis.goOn();
      await redis.stop();
    });
    const clock = options.fakeClocks ? await createFakeClock() : undefined;
    if (clock) closers.push(clock.remove);
    const codes = await createShortUrls(db);
    await system.prepare(db);
    const { key } = await createApiKeys(db).create('faults');

    const members: Member[] = [];
    closers.push(async () => {
      // One that is stopped would not hear of anything else.
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
          say(`  ${line}`);
          problems.push(line);
        },
      });
      members.push(member);
      return member;
    };
    const starting = [start('web', 1), start('web', 2), start('worker', 1), start('worker', 2)] as const;
    // Where one fails, the others must be there before they can be ended.
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
    // Its clients may be waiting for what is ended next.
    closers.push(async () => void stopLoad());

    return {
      system,
      say: (line: string) => say(`  ${line}`),
      random: createRandom(`${options.seed} choices`) satisfies Random,
      problems,
      delays,
      lostPart,
      webs,
      workers,
      members,
      redis,
      postgres: bench.postgres,
      databaseUrl: database.url,
      db,
      clock,
      tally,
      stopLoad,
      client: (web: Member) => createClient(web.baseUrl, key),
      readCounted: async () => await readCounted(db),

      /** Runs one Redis command, past the proxies. */
      async tellRedis(command: string, ...args: string[]): Promise<void> {
        const client = new Redis(redis.url, { maxRetriesPerRequest: 0 });
        try {
          await client.call(command, ...args);
        } finally {
          client.disconnect();
        }
      },

      /** Ends a store, which refuses connections from then on, and starts it again; `meanwhile` happens between. */
      async restart(store: 'redis' | 'postgres', meanwhile: () => Promise<unknown> = async () => {}) {
        const server = store === 'redis' ? redis : bench.postgres;
        for (const { proxies } of members) await proxies[store].refuse();
        await server.kill();
        await meanwhile();
        await server.start();
        for (const { proxies } of members) await proxies[store].accept();
      },

      /** Resolves when everything that was answered by now is counted, and neither in Redis nor in memory alone. Counts per
       *  short URL cannot tell: newer clicks may stand in them for older ones that Redis lost. */
      async settle(withinMs = 60_000): Promise<void> {
        // By then web processes have reported what they had accepted.
        await delay(reportedAfterMs);
        const client = new Redis(redis.url, { maxRetriesPerRequest: 0 });
        try {
          const stream = 'linkmill:clicks:{0}';
          const [newest] = await client.xrevrange(stream, '+', '-', 'COUNT', 1);
          const first = await readAudit(db);
          await waitUntil(
            'what was answered is counted',
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

/** A pause of a random length. */
export async function pause({ random }: { random: Random }, leastMs: number, mostMs: number): Promise<void> {
  await delay(random.between(leastMs, mostMs));
}

async function createShortUrls(db: Knex): Promise<string[]> {
  await insertUrls(db, { begin: 'fault', count: shortUrls });
  await db('url_stats').update({ click_count: 0 });
  return await db('urls').pluck<string[]>('short_code');
}
