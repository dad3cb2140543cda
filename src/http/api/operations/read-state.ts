import type { WorkerCounts } from '../../../queues/worker-heartbeats.ts';
import { remember } from '../../../resilience/remember.ts';
import type { RedisMemoryWatch } from '../../../storage/redis/memory.ts';
import { poolUseOf, ratesOf, seriesOf } from '../../ops/activity-rates.ts';
import type { Activity } from '../../ops/activity.ts';
import { createHealthReader, type HealthDeps } from '../../ops/health.ts';
import { findTroubles } from './find-troubles.ts';
import type { ServiceState } from './state-schema.ts';

/** How long concurrent callers share a reading. */
const sharedMs = 1_000;

export interface ServiceStateDeps {
  health: HealthDeps;
  workerCounts: Pick<WorkerCounts, 'readProcesses'>;
  redisMemory: Pick<RedisMemoryWatch, 'latest'>;
  keyPool: { target: number; lowWatermark: number };
  activity: {
    /** Of this process. */
    own: () => Activity;
    /** Of all web processes of this machine, with undefined for those that do not answer in time; undefined if they cannot be asked. */
    readAll: () => Promise<(Activity | undefined)[] | undefined>;
  };
  baseUrl: string;
}

export type ReadServiceState = ReturnType<typeof createServiceStateReader>;

/** Returns a reader of the state of the service. Callers share a reading for a second. It never rejects: a value is null
 *  if a store does not answer in time. */
export function createServiceStateReader(deps: ServiceStateDeps): () => Promise<ServiceState> {
  const { workerCounts, redisMemory, keyPool, activity, baseUrl } = deps;
  const health = createHealthReader(deps.health);

  return remember(async () => {
    const [{ body, clicks }, workers, all] = await Promise.all([
      health.read(),
      // Without Redis the number is unknown, and the health says that Redis is down.
      workerCounts.readProcesses().catch(() => undefined),
      activity.readAll(),
    ]);
    const own = activity.own();
    const answers = (all ?? []).filter((one) => one !== undefined);
    const processes = answers.length > 0 ? answers : [own];
    const { postgres, redis, redis_cache, postgres_replica } = body.checks;
    const memory = redis.status === 'up' ? redisMemory.latest() : undefined;
    const size = body.kgs_pool_size;
    const use = poolUseOf(own);
    const { begins_at: beginsAt, ...series } = seriesOf(processes);
    const ofAll = (read: (one: Activity) => number) => processes.reduce((sum, one) => sum + read(one), 0);
    const worst = (read: (one: Activity) => number) => Math.max(...processes.map(read));
    const dropped = ofAll(({ droppedClicks }) => droppedClicks);
    const oldestMs = Math.round(
      Math.max(
        clicks.lagMs,
        worst(({ oldestClickMs }) => oldestClickMs),
      ),
    );
    const rejectedShare = {
      api: worst(({ rejectedShare: { api } }) => api),
      redirects: worst(({ rejectedShare: { redirects } }) => redirects),
    };
    const areLate = clicks.isPastLimit || oldestMs > clicks.maxLagMs;
    const troubles = findTroubles({
      processes: processes.map(({ conditions }) => conditions),
      checks: body.checks,
      clicks: { oldestMs, areLate, dropped },
      rejectedShare,
      baseUrl,
    });
    return {
      // What is listed is no good health, even what `/health` does not count: clicks that were dropped long ago.
      status: body.status === 'healthy' && troubles.length > 0 ? 'degraded' : body.status,
      version: body.version,
      troubles,
      works: body.works,
      clicks: {
        oldest_ms: oldestMs,
        waiting_batches: body.clicks.waiting_batches,
        unconfirmed_batches: ofAll(({ unconfirmedBatches }) => unconfirmedBatches),
        dropped,
      },
      stores: {
        postgres,
        redis: {
          ...redis,
          used_bytes: memory?.usedBytes ?? null,
          max_bytes: memory?.maxBytes ?? null,
          policy: memory?.policy ?? null,
        },
        ...(redis_cache && { redis_cache }),
        ...(postgres_replica && { postgres_replica }),
      },
      processes: {
        web: all ? processes.length : null,
        workers: workers?.count ?? null,
        last_worker_seen_ms: workers?.lastSeenMs ?? null,
      },
      key_pool: {
        size,
        target: keyPool.target,
        low_watermark: keyPool.lowWatermark,
        consumption_per_s: use === undefined ? null : Math.round(use * 100) / 100,
        empty_in_s: size !== null && use ? Math.round(size / use) : null,
      },
      rates: ratesOf(processes),
      series: { ...series, begins_at: new Date(beginsAt).toISOString() },
      load: {
        event_loop_delay_ms: Math.round(worst(({ eventLoopDelayMs }) => eventLoopDelayMs)),
        rejected_share: rejectedShare,
      },
    };
  }, sharedMs);
}
