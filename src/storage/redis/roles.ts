import type { RedisOptions } from 'ioredis';

/** Time until the next attempt to connect, in milliseconds. */
export const reconnectDelayMs = (attempt: number): number => Math.min(attempt * 50, 500);

/** The time limits of each connection. A request of a visitor never waits for Redis to come back; a job may. After `socketTimeout` without
 *  an answer the connection is replaced, because it may be half-open. */
export const roles = {
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
