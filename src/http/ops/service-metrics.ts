import type { KeyPool } from '../../keys/key-pool.ts';
import type { Log } from '../../log.ts';
import { gauge, type Metric } from '../../metrics/prometheus.ts';
import type { Queues } from '../../queues/queues.ts';
import type { WorkerCounts } from '../../queues/worker-heartbeats.ts';

/** Reads the metrics of the whole service, which every process reports alike. Samples that Redis does not return in time are absent. */
export function createServiceMetrics(deps: {
  queues: Pick<Queues, 'readStates'>;
  keyPool: Pick<KeyPool, 'size'>;
  workerCounts: WorkerCounts;
  log: Log;
}) {
  const { queues, keyPool, workerCounts, log } = deps;

  async function readKeyPool(): Promise<Metric[]> {
    return [gauge('key_pool_size', 'Keys in the pool', await keyPool.size())];
  }

  async function readQueues(): Promise<Metric[]> {
    const states = await queues.readStates();
    return [
      gauge(
        'queue_jobs',
        'Jobs by queue and state; failed jobs are removed after a week',
        states.flatMap(({ queue, jobs }) =>
          Object.entries(jobs).map(([state, value]) => ({ value, labels: { queue, state } })),
        ),
      ),
      gauge(
        'queue_oldest_job_age_seconds',
        'Time that the oldest waiting job has been due',
        states.map(({ queue, oldestMs }) => ({ value: oldestMs / 1_000, labels: { queue } })),
      ),
      gauge(
        'queue_paused',
        '1 while the queue is paused, else 0',
        states.map(({ queue, isPaused }) => ({ value: isPaused ? 1 : 0, labels: { queue } })),
      ),
    ];
  }

  async function readWorkers(): Promise<Metric[]> {
    const counts = Object.entries(await workerCounts.read());
    return [
      gauge(
        'queue_workers',
        'Worker processes that serve each queue and sent a heartbeat within the last 15 s',
        counts.map(([queue, value]) => ({ value, labels: { queue } })),
      ),
    ];
  }

  async function orEmpty(metrics: Promise<Metric[]>): Promise<Metric[]> {
    try {
      return await metrics;
    } catch (error) {
      log.debug({ err: error }, 'failed to read service metrics');
      return [];
    }
  }

  return async (): Promise<Metric[]> => {
    const parts = await Promise.all([readKeyPool(), readQueues(), readWorkers()].map(orEmpty));
    return parts.flat();
  };
}
