import { type Command, Redis, type RedisOptions } from 'ioredis';
import type { Log } from '../../log.ts';
import { repeatedWarningsOf } from '../../resilience/repeated-warnings.ts';
import { withDeadline } from '../../resilience/shutdown.ts';
import { readPasswordFile } from '../connections/password-file.ts';
import { parseRedisUrl, type RedisAddress } from '../connections/redis-url.ts';
import type { RedisClient } from './client.ts';
import { causeOf, LinkmillCluster } from './cluster.ts';
import { limitDuration } from './command-timeout.ts';
import { reconnectDelayMs, type RedisRole, roles } from './roles.ts';

/** In a failover, sentinels close the connections of a primary that becomes a replica. A sentinel that does not know about it yet names that
 *  replica again: it rejects writes, and the connection is replaced until the sentinels agree. */
const withSentinels = {
  reconnectOnError: ({ message }: Error) => /\bREADONLY\b/.test(message),
  sentinelCommandTimeout: 2_000,
  sentinelRetryStrategy: reconnectDelayMs,
} satisfies RedisOptions;

const isMissingDatabase = (error: unknown) =>
  error instanceof Error && /DB index|invalid DB/i.test(error.message);

/** Redis does not have the database of the URL; a retry cannot succeed. */
class MissingDatabase extends Error {
  override readonly name = 'MissingDatabase';
  constructor(database: number | string, cause: unknown) {
    super(`Redis has no database ${database}: change its number in REDIS_URL, REDIS_DB or REDIS_CACHE_URL`, {
      cause,
    });
  }
}

class LinkmillRedis extends Redis {
  constructor(options: RedisOptions) {
    super({ ...options, replyMapping: 'legacy' });
  }

  override sendCommand(command: Command, stream?: Parameters<Redis['sendCommand']>[1]): unknown {
    // ioredis calls it for roles with a commandTimeout.
    command.setTimeout = (ms) => limitDuration(command, ms);
    return super.sendCommand(command, stream);
  }

  /** Reads the password file for each login. */
  override async connect(): Promise<void> {
    const options: RedisAddress = this.options;
    const password = options.passwordFile && readPasswordFile(options.passwordFile);
    if (password) options.password = password;
    await super.connect();
  }

  /** Fails the connection when its database does not exist; ioredis would continue with database 0. */
  override async select(database: number | string): Promise<'OK'> {
    try {
      return await super.select(database);
    } catch (error) {
      this.emit('error', isMissingDatabase(error) ? new MissingDatabase(database, error) : error);
      this.stream.destroy();
      return await new Promise<never>(() => undefined);
    }
  }

  /** BullMQ creates the blocking connections of its workers with it. */
  override duplicate(override?: Partial<RedisOptions>): Redis {
    return new LinkmillRedis({ ...this.options, ...override });
  }
}

/** Opens a connection to Redis, or to all nodes of a Redis Cluster, with the time limits of its role. It reconnects by itself. The begin and the end
 *  of an outage are logged once for all connections of the process. */
export function openRedis(role: RedisRole, url: string, log: Log): RedisClient {
  const warnings = repeatedWarningsOf(log);
  // Two services fail separately.
  const source = `redis ${url}`;
  const redis = connect(role, parseRedisUrl(url));
  redis.on('error', (error: Error) =>
    warnings.warn(source, { err: causeOf(error), role }, 'failed to connect to Redis', redis),
  );
  redis.on('ready', () => warnings.end(source, { role }, 'connected to Redis again', redis));
  return redis;
}

function connect(role: RedisRole, address: RedisAddress): RedisClient {
  const options: RedisAddress = {
    ...address,
    ...(address.sentinels && withSentinels),
    ...roles[role],
    connectionName: `linkmill-${role}`,
    connectTimeout: 2_000,
    retryStrategy: reconnectDelayMs,
    // The check needs the right to run INFO and prints to the console. A loading Redis reports itself.
    enableReadyCheck: false,
  };
  const { clusterNodes } = address;
  if (clusterNodes === undefined) return new LinkmillRedis(options);
  return role === 'subscriber' ? connectToOne(options, clusterNodes) : new LinkmillCluster(options);
}

/** A connection to one of these nodes, and to the next one when it ends: every message reaches all nodes of a cluster. */
function connectToOne(options: RedisOptions, nodes: readonly { host: string; port: number }[]): Redis {
  let at = Math.floor(Math.random() * nodes.length);
  const redis: Redis = new LinkmillRedis({
    ...options,
    ...nodes[at],
    retryStrategy(attempt) {
      at = (at + 1) % nodes.length;
      Object.assign(redis.options, nodes[at]);
      return reconnectDelayMs(attempt);
    },
  });
  return redis;
}

/** Resolves when all these connections are ready, or after `ms`: a process also starts without Redis. Rejects when Redis does not have the
 *  database of the URL. */
export async function waitForRedis(connections: RedisClient[], ms: number): Promise<void> {
  const ready = connections.map(async (redis) => {
    if (redis.status === 'ready') return;
    await new Promise<void>((resolve, reject) => {
      redis.once('ready', () => resolve());
      redis.on('error', (error) => error instanceof MissingDatabase && reject(error));
    });
  });
  await withDeadline(
    Promise.all(ready).then(() => undefined),
    ms,
    () => undefined,
  );
}

/** Closes a connection with QUIT, or without it when Redis does not answer within a second. */
export async function closeRedis(redis: RedisClient): Promise<void> {
  const timer = setTimeout(() => redis.disconnect(), 1_000);
  try {
    if (redis.status === 'ready') await redis.quit();
  } catch {
    // The connection was lost meanwhile.
  } finally {
    clearTimeout(timer);
    redis.disconnect();
  }
}
