import type { KeyPool } from '../../keys/key-pool.ts';
import type { Log } from '../../log.ts';
import { gauge, type Metric } from '../../metrics/prometheus.ts';
import type { Queues } from '../../queues/queues.ts';
import type { WorkerCounts } from '../../queues/worker-heartbeats.ts';

/** Reads the metrics that are the same whichever process is asked. What Redis does not tell in time is left out. */
export function createServiceMetrics(deps: {
  queues: Pick<Queues, 'readStates'>;
  keyPool: Pick<KeyPool, 'size'>;
  workerCounts: WorkerCounts;
  log: Log;
}) {
  const { queues, keyPool, workerCounts, log } = deps;

  async function readKeyPool(): Promise<Metric[]> {
    return [gauge('key_pool_size', 'Short codes that are ready to be taken', await keyPool.size())];
  }

  async function readQueues(): Promise<Metric[]> {
    const states = await queues.readStates();
    return [
      gauge(
        'queue_jobs',
        'Jobs of each queue by state; failed ones are kept for a week at most',
        states.flatMap(({ queue, jobs }) =>
          Object.entries(jobs).map(([state, value]) => ({ value, labels: { queue, state } })),
        ),
      ),
      gauge(
        'queue_oldest_job_age_seconds',
        'How long the job that waits for the longest time has been due',
        states.map(({ queue, oldestMs }) => ({ value: oldestMs / 1_000, labels: { queue } })),
      ),
      gauge(
        'queue_paused',
        'Whether the queue is paused (1), so that its jobs wait',
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

  async function orNone(reading: Promise<Metric[]>): Promise<Metric[]> {
    try {
      return await reading;
    } catch (error) {
      log.debug({ err: error }, 'metrics of the service could not be read');
      return [];
    }
  }

  return async (): Promise<Metric[]> => {
    const parts = await Promise.all([readKeyPool(), readQueues(), readWorkers()].map(orNone));
    return parts.flat();
  };
}
