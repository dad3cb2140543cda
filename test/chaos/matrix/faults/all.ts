import type { Fault } from '../fault.ts';
import { clockJumps } from './clocks.ts';
import { mixed, webKilledRedisEmptied } from './combined.ts';
import { concurrentJobs, workerFrozenInFlush, workerKilledInFlush, workerStoppedInFlush } from './flushes.ts';
import { connectionsReset, repliesDropped } from './network.ts';
import {
  postgresDown60,
  postgresKilled,
  postgresRefuses,
  postgresSettings,
  postgresStopped10,
  postgresStopped30,
} from './postgres.ts';
import { rollingRestart, sigterm, webKilled, webKilledUnacknowledged, workerKilled } from './processes.ts';
import {
  redisFlushed,
  redisFull,
  redisKilled,
  redisKilledEmpty,
  redisReadOnly,
  redisRightsRevoked,
  redisRolledBack,
  redisStopped10,
  redisStopped30,
} from './redis.ts';
import { postgresRestored, postgresStandbyPromoted } from './restores.ts';
import { workersFrozen, workersMissing } from './workers.ts';

/** All faults, in the order of the report. */
export const faults: Fault[] = [
  webKilled,
  workerKilled,
  workerStoppedInFlush,
  workerFrozenInFlush,
  workerKilledInFlush,
  workersFrozen,
  workersMissing,
  redisKilled,
  redisKilledEmpty,
  redisRolledBack,
  redisFlushed,
  redisFull,
  redisReadOnly,
  redisRightsRevoked,
  redisStopped10,
  redisStopped30,
  postgresKilled,
  postgresStopped10,
  postgresStopped30,
  postgresDown60,
  postgresRefuses,
  postgresSettings,
  postgresRestored,
  postgresStandbyPromoted,
  connectionsReset,
  repliesDropped,
  concurrentJobs,
  clockJumps,
  sigterm,
  rollingRestart,
  mixed,
  webKilledUnacknowledged,
  webKilledRedisEmptied,
];
