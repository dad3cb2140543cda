import type { TestProcess } from '../processes/launch.ts';
import { startTestCluster } from '../services/cluster.ts';
import { startPgBouncer } from '../services/pgbouncer.ts';
import { startTestSentinels } from '../services/sentinels.ts';
import {
  runSql,
  startTestPostgres,
  startTestRedis,
  startTestStandby,
  type TestPostgres,
} from '../services/servers.ts';
import { waitUntil } from '../wait-until.ts';

/** The stores of a service. */
export interface Stores {
  /** The settings of all processes. */
  settings: Record<string, string>;
  /** Kills what hurts most, and starts it again or promotes its replica. */
  hurt: (workers: TestProcess[]) => Promise<void>;
  stop: () => Promise<void>;
}

/** A way to run Linkmill. */
export interface Topology {
  name: string;
  /** What `hurt` does. */
  killed: string;
  /** The queues of each worker; all by default. */
  workers?: string[][];
  open: () => Promise<Stores>;
}

const downMs = 3_000;

/** Kills a server, and starts it again after some seconds. */
async function restart(server: { kill: () => Promise<void>; start: () => Promise<void> }): Promise<void> {
  await server.kill();
  await new Promise((resolve) => setTimeout(resolve, downMs));
  await server.start();
}

const openPostgres = async () => await startTestPostgres({ keepsCommits: true });

/** One PostgreSQL and one Redis, with further settings. */
async function openBoth(settings: Record<string, string> = {}) {
  const [postgres, redis] = await Promise.all([openPostgres(), startTestRedis({ appendonly: true })]);
  return {
    postgres,
    redis,
    settings: { DATABASE_URL: postgres.url, REDIS_URL: redis.url, ...settings },
    stop: async () => void (await Promise.all([postgres.stop(), redis.stop()])),
  };
}

/** The address of a primary and its standby, the standby first. */
function bothHosts(primary: TestPostgres, standby: TestPostgres): string {
  const { username, password, pathname } = new URL(primary.url);
  const hosts = [standby, primary].map(({ port }) => `127.0.0.1:${port}`).join(',');
  return `postgres://${username}:${password}@${hosts}${pathname}?target_session_attrs=read-write`;
}

export const topologies: Topology[] = [
  {
    name: 'one PostgreSQL, one Redis',
    killed: 'Redis, which starts again after 3 s',
    async open() {
      const { redis, ...stores } = await openBoth();
      return { ...stores, hurt: async () => await restart(redis) };
    },
  },
  {
    name: 'PgBouncer in transaction mode',
    killed: 'PostgreSQL, which starts again after 3 s',
    async open() {
      const { postgres, settings, stop } = await openBoth();
      const bouncer = await startPgBouncer(postgres.url);
      return {
        settings: { ...settings, DATABASE_URL: bouncer.url, DATABASE_DIRECT_URL: postgres.url },
        hurt: async () => await restart(postgres),
        stop: async () => {
          await bouncer.stop();
          await stop();
        },
      };
    },
  },
  {
    name: 'PostgreSQL with a standby',
    killed: 'the primary; its standby, which replicates asynchronously, is promoted',
    async open() {
      const { postgres, settings, stop } = await openBoth();
      const standby = await startTestStandby(postgres);
      return {
        settings: { ...settings, DATABASE_URL: bothHosts(postgres, standby) },
        hurt: async () => {
          await postgres.kill();
          await runSql(standby.url, ['select pg_promote(true)']);
        },
        stop: async () => void (await Promise.all([stop(), standby.stop()])),
      };
    },
  },
  {
    name: 'a standby that serves reads',
    killed: 'the standby, which starts again after 3 s',
    async open() {
      const { postgres, settings, stop } = await openBoth();
      const standby = await startTestStandby(postgres);
      return {
        settings: { ...settings, DATABASE_REPLICA_URL: standby.url },
        hurt: async () => await restart(standby),
        stop: async () => void (await Promise.all([stop(), standby.stop()])),
      };
    },
  },
  {
    name: 'Redis with sentinels',
    killed: 'the primary; its replica is promoted',
    async open() {
      const [postgres, redis] = await Promise.all([openPostgres(), startTestSentinels()]);
      return {
        settings: {
          DATABASE_URL: postgres.url,
          REDIS_URL: `redis+sentinel://${redis.hosts}/${redis.name}`,
        },
        hurt: async () => {
          await redis.first.kill();
          await waitUntil(
            'the replica is the primary',
            async () => (await redis.primaryPort()) === redis.second.port,
            30_000,
          );
        },
        stop: async () => void (await Promise.all([postgres.stop(), redis.stop()])),
      };
    },
  },
  {
    name: 'Redis Cluster, 3 primaries and 3 replicas',
    killed: 'the primary of the click stream; its replica is promoted',
    async open() {
      const [postgres, cluster] = await Promise.all([openPostgres(), startTestCluster()]);
      return {
        settings: { DATABASE_URL: postgres.url, REDIS_URL: cluster.url },
        hurt: async () => {
          const killed = await cluster.primaryOf('linkmill:clicks:{0}');
          await killed.kill();
          await waitUntil(
            'a replica is promoted',
            async () => (await cluster.primaryOf('linkmill:clicks:{0}').catch(() => killed)) !== killed,
            30_000,
          );
        },
        stop: async () => void (await Promise.all([postgres.stop(), cluster.stop()])),
      };
    },
  },
  {
    name: 'two Redis services, one for the cache',
    killed: 'the Redis of the cache, which starts again after 3 s',
    async open() {
      const { settings, stop } = await openBoth();
      const cache = await startTestRedis({ args: ['--maxmemory-policy', 'allkeys-lru'] });
      return {
        settings: { ...settings, REDIS_CACHE_URL: cache.url },
        hurt: async () => await restart(cache),
        stop: async () => void (await Promise.all([stop(), cache.stop()])),
      };
    },
  },
  {
    name: 'two workers for clicks, four shards',
    killed: 'one of these workers',
    workers: [['--queues', 'flush-clicks'], ['--queues', 'flush-clicks'], []],
    async open() {
      const { settings, stop } = await openBoth({ CLICK_SHARDS: '4' });
      return { settings, stop, hurt: async ([worker]) => worker!.signal('SIGKILL') };
    },
  },
];
