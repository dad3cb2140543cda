import type { Log } from '../log.ts';
import type { Conditions } from '../resilience/conditions.ts';
import type { ClosingStack } from '../resilience/shutdown.ts';
import type { Knex } from '../storage/postgres/postgres.ts';
import type { RedisClient } from '../storage/redis/client.ts';
import { createEpochStamp } from './epoch-stamp.ts';
import { createEpochStore } from './epoch-store.ts';
import { createEpochWatch } from './epoch-watch.ts';
import type { CurrentEpoch } from './epoch.ts';

/** Opens the epoch watch of a web process or a worker: one for each of these connections, which are to different Redis services. `start`
 *  resolves once no other running database uses one of them. */
export function openEpochWatch(
  owner: {
    config: { REDIS_PREFIX: string };
    closing: ClosingStack;
    conditions: Conditions;
    epoch: CurrentEpoch;
    log: Log;
  },
  deps: { db: Knex; redis: Iterable<RedisClient>; endProcess: (reason: string) => void },
): { start: () => Promise<void> } {
  const { config, closing, conditions, epoch, log } = owner;
  const watches = Array.from(deps.redis, (redis) =>
    closing.defer(
      'epochs',
      createEpochWatch({
        store: createEpochStore(deps.db),
        stamp: createEpochStamp(redis, config.REDIS_PREFIX),
        current: epoch,
        conditions,
        endProcess: deps.endProcess,
        log,
      }),
      (watch) => watch.stop(),
    ),
  );
  return {
    async start() {
      for (const watch of watches) await watch.start();
    },
  };
}
