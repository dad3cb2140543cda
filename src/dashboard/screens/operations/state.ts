import { isAvailable } from '../../api/available.ts';
import { send } from '../../api/client.ts';
import { basePath } from '../../routing/router.ts';
import { may } from '../../state/session.ts';

type Store = { status: 'up' | 'down'; latency_ms: number; breaker: string };

/** The state of the service. What only `GET /api/v1/operations` tells is optional: `/health` tells the rest. */
export interface Operations {
  status: 'healthy' | 'degraded' | 'unhealthy';
  version?: string;
  troubles: {
    id: string;
    title: string;
    cause: string;
    since: string | null;
    effect?: string;
    action?: string;
    runbook_url?: string;
  }[];
  works?: Record<'redirects' | 'api' | 'jobs' | 'clicks', string | boolean>;
  clicks: {
    oldest_ms: number;
    waiting_batches: number | null;
    unconfirmed_batches?: number;
    dropped: number;
  };
  stores: {
    postgres: Store;
    redis: Store & { used_bytes?: number | null; max_bytes?: number | null; policy?: string | null };
  };
  processes?: { web: number | null; workers: number | null; last_worker_seen_ms: number | null };
  key_pool: {
    size: number | null;
    target?: number | null;
    low_watermark?: number | null;
    empty_in_s?: number | null;
  };
  rates?: {
    redirects_per_s: number | null;
    api_per_s: number | null;
    errors_5xx_per_s: number | null;
    redirect_p99_ms: number | null;
  };
  load?: { event_loop_delay_ms: number; rejected_share: { api: number; redirects: number } };
}

interface Health {
  status: Operations['status'];
  version: string;
  conditions: { code: string; reason: string; since: string }[];
  works: NonNullable<Operations['works']>;
  kgs_pool_size: number | null;
  clicks: {
    lag_seconds: number;
    waiting_batches: number | null;
    unconfirmed_batches: number;
    dropped_clicks: number;
  };
  load: NonNullable<Operations['load']>;
  checks: { postgres: Store; redis: Store };
}

const fromHealth = (health: Health): Operations => ({
  status: health.status,
  version: health.version,
  troubles: health.conditions.map(({ code, reason, since }) => ({
    id: code,
    title: titleOf(code),
    cause: reason,
    since,
  })),
  works: health.works,
  clicks: {
    oldest_ms: health.clicks.lag_seconds * 1_000,
    waiting_batches: health.clicks.waiting_batches,
    unconfirmed_batches: health.clicks.unconfirmed_batches,
    dropped: health.clicks.dropped_clicks,
  },
  stores: health.checks,
  key_pool: { size: health.kgs_pool_size },
  load: health.load,
});

const titleOf = (code: string) => code[0]!.toUpperCase() + code.slice(1).replaceAll('_', ' ');

/** Reads the health, which answers 503 while both stores are away. */
async function readHealth(signal: AbortSignal): Promise<Health> {
  const response = await fetch(`${basePath}/health`, { signal });
  return (await response.json()) as Health;
}

/** Reads the state of the service. */
export async function loadOperations(signal: AbortSignal): Promise<Operations> {
  const health = fromHealth(await readHealth(signal));
  if (!isAvailable('/api/v1/operations') || !may('jobs:run')) return health;
  const { body } = await send<Operations>('get', '/api/v1/operations', { signal });
  return { ...health, ...body };
}

/** A queue of `GET /api/v1/queues`. */
export interface Queue {
  name: string;
  description: string;
  is_paused: boolean;
  waiting: number;
  oldest_waiting_ms: number | null;
  last_run: { finished_at: string; duration_ms: number; state: string } | null;
  failed_24h: number;
  next_run_at: string | null;
  running: { id: string; progress: number; started_at: string }[];
}

export const loadQueues = async (signal: AbortSignal) =>
  (await send<{ items: Queue[] }>('get', '/api/v1/queues', { signal })).body.items;
