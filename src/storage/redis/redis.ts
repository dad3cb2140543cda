import { type Command, Redis, type RedisOptions } from 'ioredis';
import type { Log } from '../../log.ts';
import { repeatedWarningsOf } from '../../resilience/repeated-warnings.ts';
import { withDeadline } from '../../resilience/shutdown.ts';
import { readPasswordFile } from '../connections/password-file.ts';
import { parseRedisUrl, type RedisAddress } from '../connections/redis-url.ts';

const reconnectDelayMs = (attempt: number) => Math.min(attempt * 50, 500);

/** The time limits of each connection. A request of a visitor never waits for Redis to come back; a job may. After `socketTimeout` without
 *  an answer the connection is replaced, because it may be half-open. */
const roles = {
  /** Look-ups of requests: they fail at once without a connection. */
  cache: { enableOfflineQueue: false, maxRetriesPerRequest: 0, commandTimeout: 50, socketTimeout: 2_000 },
  /** Batches of clicks. A batch may be sent twice, so ioredis may resend the commands in flight. */
  clicks: {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    commandTimeout: 2_000,
    socketTimeout: 2_000,
  },
  /** The invalidation bus, which resubscribes itself: a rejected resubscription of ioredis would be an unhandled rejection, which ends the
   *  process. */
  subscriber: { maxRetriesPerRequest: 1, socketTimeout: 2_000, autoResubscribe: false },
  /** Adds jobs to queues. No commandTimeout: a script of BullMQ may have run although it timed out. */
  producer: { enableOfflineQueue: false, maxRetriesPerRequest: 1, socketTimeout: 4_000 },
  /** Commands of jobs. */
  jobs: { maxRetriesPerRequest: 3, commandTimeout: 5_000, socketTimeout: 4_000 },
  /** Checks version, settings and rights of Redis. */
  probe: { enableOfflineQueue: false, maxRetriesPerRequest: 0, commandTimeout: 2_000, socketTimeout: 4_000 },
  /** Workers of BullMQ, which requires unlimited retries. They duplicate the connection for a blocking command that waits for 10 s. */
  worker: { maxRetriesPerRequest: null, socketTimeout: 12_000 },
} satisfies Record<string, RedisOptions>;

export type RedisRole = keyof typeof roles;

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
    super(`Redis has no database ${database}: change its number in REDIS_URL or REDIS_DB`, { cause });
  }
}

/** A connection that processes received replies before a command times out: when the event loop is late, the timer of ioredis would fire
 *  before a reply that has already arrived. */
class LinkmillRedis extends Redis {
  constructor(options: RedisOptions) {
    super({ ...options, replyMapping: 'legacy' });
  }

  override sendCommand(command: Command, stream?: Parameters<Redis['sendCommand']>[1]): unknown {
    // ioredis calls it for roles with a commandTimeout.
    command.setTimeout = (ms) => {
      const timeOut = () => command.reject(new Error('Command timed out'));
      const timer = setTimeout(() => setImmediate(timeOut), ms);
      const settled = () => clearTimeout(timer);
      command.promise.then(settled, settled);
    };
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

/** Opens a connection to Redis with the time limits of its role. It reconnects by itself. The begin and the end of an outage are logged once
 *  for all connections of the process. */
export function openRedis(role: RedisRole, url: string, log: Log): Redis {
  const warnings = repeatedWarningsOf(log);
  const address = parseRedisUrl(url);
  const redis = new LinkmillRedis({
    ...address,
    ...(address.sentinels && withSentinels),
    ...roles[role],
    connectionName: `linkmill-${role}`,
    connectTimeout: 2_000,
    retryStrategy: reconnectDelayMs,
    // The check needs the right to run INFO and prints to the console. A loading Redis reports itself.
    enableReadyCheck: false,
  });
  redis.on('error', (error: Error) =>
    warnings.warn('redis', { err: error, role }, 'failed to connect to Redis', redis),
  );
  redis.on('ready', () => warnings.end('redis', { role }, 'connected to Redis again', redis));
  return redis;
}

/** Resolves when all these connections are ready, or after `ms`: a process also starts without Redis. Rejects when Redis does not have the
 *  database of the URL. */
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

/** Closes a connection with QUIT, or without it when Redis does not answer within a second. */
export async function closeRedis(redis: Redis): Promise<void> {
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
