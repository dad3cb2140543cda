import type { Fault } from '../fault.ts';
import { clocksMoved } from './clocks.ts';
import { jobsThrice, workerFrozenInFlush, workerKilledInFlush, workerStoppedInFlush } from './flushes.ts';
import { mixed, webKilledRedisEmptied } from './mixes.ts';
import { connectionsCut, repliesDropped } from './network.ts';
import {
  postgresDown60,
  postgresKilled,
  postgresRefuses,
  postgresSettings,
  postgresStopped10,
  postgresStopped30,
} from './postgres.ts';
import { rolled, terminated, webKilled, webKilledUnacknowledged, workerKilled } from './processes.ts';
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

/** Every fault, in the order of the table. */
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
  connectionsCut,
  repliesDropped,
  jobsThrice,
  clocksMoved,
  terminated,
  rolled,
  mixed,
  webKilledUnacknowledged,
  webKilledRedisEmptied,
];
