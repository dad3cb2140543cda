import { get } from '../../api/client.ts';
import { asProblem, offline, readProblem } from '../../api/problem.ts';
import type { AnswerOf, OperationAt } from '../../api/types.ts';
import { basePath } from '../../routing/router.ts';
import { may } from '../../state/session.ts';

type State = AnswerOf<OperationAt<'get', '/api/v1/operations'>>;

/** A queue of `GET /api/v1/queues`. */
export type Queue = AnswerOf<OperationAt<'get', '/api/v1/queues'>>['items'][number];

export type Trouble = Omit<State['troubles'][number], 'runbook_url'>;

/** The state of the service. `/health` lacks the optional fields. */
export type Operations = Pick<State, 'status' | 'version' | 'works' | 'clicks' | 'load'> &
  Partial<Pick<State, 'processes' | 'rates' | 'series'>> & {
    troubles: Trouble[];
    stores: Pick<State['stores'], 'postgres' | 'redis_cache' | 'postgres_replica'> & {
      redis: Partial<State['stores']['redis']>;
    };
    key_pool: Pick<State['key_pool'], 'size'> & Partial<State['key_pool']>;
  };

interface Health extends Pick<State, 'status' | 'version' | 'works' | 'load'> {
  conditions: (Omit<Trouble, 'id' | 'cause'> & { code: string; reason: string })[];
  kgs_pool_size: number | null;
  clicks: {
    lag_seconds: number;
    waiting_batches: number | null;
    unconfirmed_batches: number;
    dropped_clicks: number;
  };
  checks: Operations['stores'];
}

const fromHealth = ({ conditions, clicks, checks, kgs_pool_size: size, ...health }: Health): Operations => ({
  ...health,
  // `/health` leaves out what is over.
  status: health.status === 'healthy' && clicks.dropped_clicks > 0 ? 'degraded' : health.status,
  troubles: conditions.map(({ code, reason, ...texts }) => ({ ...texts, id: code, cause: reason })),
  clicks: {
    oldest_ms: clicks.lag_seconds * 1_000,
    waiting_batches: clicks.waiting_batches,
    unconfirmed_batches: clicks.unconfirmed_batches,
    dropped: clicks.dropped_clicks,
  },
  stores: checks,
  key_pool: { size },
});

/** Reads the health, which answers 503 while both stores are away. */
async function readHealth(signal: AbortSignal): Promise<Operations> {
  const response = await fetch(`${basePath}/health`, { signal }).catch(() => {
    throw offline();
  });
  const body = (await response
    .clone()
    .json()
    .catch(() => ({}))) as Partial<Health>;
  if (!body.checks) throw await readProblem(response);
  return fromHealth(body as Health);
}

/** Reads the state of the service: the health for a key without the scope, and while PostgreSQL, which knows the keys, is away. */
export async function loadOperations(signal: AbortSignal): Promise<Operations> {
  try {
    if (may('jobs:run')) return await get('/api/v1/operations', { signal });
  } catch (error) {
    if (asProblem(error).status !== 503) throw error;
  }
  return await readHealth(signal);
}

export const loadQueues = async (signal: AbortSignal) => (await get('/api/v1/queues', { signal })).items;

export const loadFailures = async (name: string, signal: AbortSignal) =>
  (await get('/api/v1/queues/{name}/failures', { params: { name }, signal })).items;
