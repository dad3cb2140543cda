import { RedisConnection } from 'bullmq';

/** The oldest Redis that Linkmill works with. */
export const minimumRedisVersion = '6.2.0';

/** Options of every Queue and Worker. `watchRedis` replaces the version check of BullMQ, which needs the right to run INFO, never recovers
 *  from a rejection, and prints to the console. */
export function bullmqOptions() {
  // BullMQ assumes this version when the check is off. With its default of 5.0.0 it would round waits up to a second.
  RedisConnection.minimumVersion = minimumRedisVersion;
  return { skipVersionCheck: true };
}
