import type { ClickStatus } from '../../../clicks/recording/status.ts';
import type { WorkerCounts } from '../../../queues/worker-heartbeats.ts';
import { remember } from '../../../resilience/remember.ts';
import { guidance, type TroubleCode } from '../../../resilience/troubles.ts';
import type { RedisMemoryWatch } from '../../../storage/redis/memory.ts';
import { poolUseOf, ratesOf, seriesOf } from '../../ops/activity-rates.ts';
import type { Activity } from '../../ops/activity.ts';
import type { HealthBody } from '../../ops/health-routes.ts';
import { createHealthReader, type HealthDeps } from '../../ops/health.ts';
import { runbookPath } from '../../pages/runbook-page.ts';
import type { ServiceState, Trouble } from './state-schema.ts';

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
      workerCounts.readProcesses().catch(() => undefined),
      activity.readAll(),
    ]);
    const own = activity.own();
    const processes = (all ?? [own]).filter((one) => one !== undefined);
    const { postgres, redis } = body.checks;
    const memory = redis.status === 'up' ? redisMemory.latest() : undefined;
    const size = body.kgs_pool_size;
    const use = poolUseOf(own);
    const { begins_at: beginsAt, ...series } = seriesOf(processes);
    const ofAll = (read: (one: Activity) => number) => processes.reduce((sum, one) => sum + read(one), 0);
    const dropped = ofAll(({ droppedClicks }) => droppedClicks);
    return {
      status: body.status,
      version: body.version,
      troubles: findTroubles(body, { ...clicks, dropped }, baseUrl),
      works: body.works,
      clicks: {
        oldest_ms: Math.round(Math.max(clicks.lagMs, ...processes.map((one) => one.oldestClickMs))),
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
      load: body.load,
    };
  }, sharedMs);
}

/** The conditions under which a store does not answer. */
const outages = {
  postgres: ['postgres_unavailable'],
  redis: [
    'redis_unavailable',
    'redis_login_refused',
    'redis_unsupported',
    'redis_refuses_writes',
    'redis_rights_missing',
  ],
} as const satisfies Record<string, readonly TroubleCode[]>;

/** The conditions of the process, and what the numbers of the service show. */
function findTroubles(
  { conditions, checks, load }: HealthBody,
  clicks: Pick<ClickStatus, 'lagMs' | 'isPastLimit' | 'dropped'>,
  baseUrl: string,
): Trouble[] {
  const toTrouble = (id: TroubleCode, cause: string, since: string | null = null): Trouble => ({
    id,
    ...guidance[id],
    cause,
    since,
    runbook_url: `${baseUrl}${runbookPath}#${id}`,
  });
  const troubles = conditions.map(({ code, reason, since }) => toTrouble(code, reason, since));
  const isKnown = (causes: readonly TroubleCode[]) =>
    troubles.some(({ id }) => causes.some((one) => one === id));
  // The watches report an outage after some seconds, with its cause.
  if (checks.postgres.status === 'down' && !isKnown(outages.postgres))
    troubles.push(toTrouble('postgres_unavailable', 'PostgreSQL does not answer.'));
  if (checks.redis.status === 'down' && !isKnown(outages.redis))
    troubles.push(toTrouble('redis_unavailable', 'Redis does not answer.'));
  if (clicks.dropped > 0)
    troubles.push(
      toTrouble(
        'clicks_dropped',
        `PostgreSQL and Redis were unavailable, and memory was full: ${clicks.dropped} clicks.`,
      ),
    );
  if (clicks.isPastLimit) {
    const since = new Date(Date.now() - clicks.lagMs).toISOString();
    troubles.push(toTrouble('clicks_late', 'Clicks wait that are not in PostgreSQL.', since));
  }
  const share = Math.round(load.rejected_share.api * 100);
  if (share > 0)
    troubles.push(
      toTrouble('requests_rejected', `The processor is busy: ${share} % of the API requests are rejected.`),
    );
  return troubles;
}
