import { type Command, Redis, type RedisOptions } from 'ioredis';
import type { Log } from '../../log.ts';
import { repeatedWarningsOf } from '../../resilience/repeated-warnings.ts';
import { withDeadline } from '../../resilience/shutdown.ts';
import { readPasswordFile } from '../connections/password-file.ts';
import { parseRedisUrl, type RedisAddress } from '../connections/redis-url.ts';

const reconnectDelayMs = (attempt: number) => Math.min(attempt * 50, 500);

/** What each connection may wait for. A visitor's request never waits for Redis to come back; a job may. Where nothing has
 *  come back for `socketTimeout` the connection is given up for a new one: it may be half-open, which nothing else tells. */
const roles = {
  /** Look-ups on a request's path: an answer at once or none. */
  cache: { enableOfflineQueue: false, maxRetriesPerRequest: 0, commandTimeout: 50, socketTimeout: 2_000 },
  /** Batches of clicks: sending one twice is free, so ioredis may send again what was in flight. */
  clicks: {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    commandTimeout: 2_000,
    socketTimeout: 2_000,
  },
  /** Hears of changed short URLs. Who hears subscribes again: nobody would learn that ioredis is refused, but as an unhandled
   *  rejection, which ends a process. */
  subscriber: { maxRetriesPerRequest: 1, socketTimeout: 2_000, autoResubscribe: false },
  /** Adds jobs to queues. No commandTimeout: BullMQ's script may have run although it timed out. */
  producer: { enableOfflineQueue: false, maxRetriesPerRequest: 1, socketTimeout: 4_000 },
  /** The Redis side of jobs' work. */
  jobs: { maxRetriesPerRequest: 3, commandTimeout: 5_000, socketTimeout: 4_000 },
  /** Asks what Redis is and allows, for as long as an operator would wait for the answer. */
  probe: { enableOfflineQueue: false, maxRetriesPerRequest: 0, commandTimeout: 2_000, socketTimeout: 4_000 },
  /** BullMQ's workers, which demand to wait for ever. They hand the options on to a connection that Redis lets wait for
   *  10 s before it answers. */
  worker: { maxRetriesPerRequest: null, socketTimeout: 12_000 },
} satisfies Record<string, RedisOptions>;

export type RedisRole = keyof typeof roles;

const isMissingDatabase = (error: unknown) =>
  error instanceof Error && /DB index|invalid DB/i.test(error.message);

/** The URL names a database that Redis does not have, which waiting does not change. */
class MissingDatabase extends Error {
  override readonly name = 'MissingDatabase';
  constructor(database: number | string, cause: unknown) {
    super(`Redis has no database ${database}: name another one in REDIS_URL or REDIS_DB`, { cause });
  }
}

/** A connection that reads what has arrived before it gives a command up: where a process is late, the timer of ioredis would
 *  win against an answer that has arrived. */
class LinkmillRedis extends Redis {
  constructor(options: RedisOptions) {
    super({ ...options, replyMapping: 'legacy' });
  }

  override sendCommand(command: Command, stream?: Parameters<Redis['sendCommand']>[1]): unknown {
    // Called by what is overridden, where the role has a commandTimeout.
    command.setTimeout = (ms) => {
      const giveUp = () => command.reject(new Error('Command timed out'));
      const timer = setTimeout(() => setImmediate(giveUp), ms);
      const settled = () => clearTimeout(timer);
      command.promise.then(settled, settled);
    };
    return super.sendCommand(command, stream);
  }

  /** Logs in with the password that its file holds now. */
  override async connect(): Promise<void> {
    const options: RedisAddress = this.options;
    const password = options.passwordFile && readPasswordFile(options.passwordFile);
    if (password) options.password = password;
    await super.connect();
  }

  /** Without the database that its URL names ioredis would continue with database 0: the connection fails instead, before it is ready. */
  override async select(database: number | string): Promise<'OK'> {
    try {
      return await super.select(database);
    } catch (error) {
      this.emit('error', isMissingDatabase(error) ? new MissingDatabase(database, error) : error);
      this.stream.destroy();
      return await new Promise<never>(() => undefined);
    }
  }

  /** BullMQ makes the blocking connections of its workers in this way. */
  override duplicate(override?: Partial<RedisOptions>): Redis {
    return new LinkmillRedis({ ...this.options, ...override });
  }
}

/** A connection to Redis with the waiting rules of its role. It reconnects by itself; an outage is logged once, its end too,
 *  for all connections of the process together. */
export function openRedis(role: RedisRole, url: string, log: Log): Redis {
  const warnings = repeatedWarningsOf(log);
  const redis = new LinkmillRedis({
    ...parseRedisUrl(url),
    ...roles[role],
    connectionName: `linkmill-${role}`,
    connectTimeout: 2_000,
    retryStrategy: reconnectDelayMs,
    // It runs INFO, which a user may lack, and then prints a line of its own. A Redis that is loading answers so.
    enableReadyCheck: false,
  });
  redis.on('error', (error: Error) =>
    warnings.warn('redis', { err: error, role }, 'failed to connect to Redis', redis),
  );
  redis.on('ready', () => warnings.end('redis', { role }, 'connected to Redis again', redis));
  return redis;
}

/** Resolves when all these connections are ready, or after `ms`: a process starts without Redis too. Rejects where Redis does not have
 *  the database of the URL. */
export async function waitForRedis(connections: Redis[], ms: number): Promise<void> {
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

/** Ends a connection: with a good-bye where Redis answers within a second, without one otherwise. */
export async function closeRedis(redis: Redis): Promise<void> {
  const timer = setTimeout(() => redis.disconnect(), 1_000);
  try {
    if (redis.status === 'ready') await redis.quit();
  } catch {
    // Redis went away while we said good-bye: there is nobody left to tell.
  } finally {
    clearTimeout(timer);
    redis.disconnect();
  }
}
