import type { Log } from '../log.ts';
import type { Conditions } from '../resilience/conditions.ts';
import type { ClosingStack } from '../resilience/shutdown.ts';
import type { Knex } from '../storage/postgres/postgres.ts';
import type { RedisClient } from '../storage/redis/client.ts';
import { createEpochStamp } from './epoch-stamp.ts';
import { createEpochStore } from './epoch-store.ts';
import { createEpochWatch } from './epoch-watch.ts';
import type { CurrentEpoch } from './epoch.ts';

/** Starts the epoch watch of a web process or a worker. */
export function openEpochWatch(
  owner: {
    config: { REDIS_PREFIX: string };
    closing: ClosingStack;
    conditions: Conditions;
    epoch: CurrentEpoch;
    log: Log;
  },
  deps: { db: Knex; redis: RedisClient; endProcess: (reason: string) => void },
) {
  const { config, closing, conditions, epoch, log } = owner;
  return closing.defer(
    'epochs',
    createEpochWatch({
      store: createEpochStore(deps.db),
      stamp: createEpochStamp(deps.redis, config.REDIS_PREFIX),
      current: epoch,
      conditions,
      endProcess: deps.endProcess,
      log,
    }),
    (watch) => watch.stop(),
  );
}
