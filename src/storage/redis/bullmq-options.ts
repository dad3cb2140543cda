import { RedisConnection } from 'bullmq';

/** The oldest Redis that Linkmill works with. */
export const minimumRedisVersion = '6.2.0';

/** Options of every Queue and Worker. BullMQ's own check of Redis is off: it runs INFO, which a user may lack, never recovers
 *  from a refusal, and prints what it finds to the console. `watchRedis` checks instead. */
export function bullmqOptions() {
  // BullMQ takes this for the version of a Redis that it does not check. With its own value, 5.0.0, it would round
  // waiting times up to a second.
  RedisConnection.minimumVersion = minimumRedisVersion;
  return { skipVersionCheck: true };
}
