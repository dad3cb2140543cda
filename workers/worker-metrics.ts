import { collectDefaultMetrics, Registry } from 'prom-client';
import { type Conditions, conditionMetric } from '../src/conditions.ts';
import { gauge, type Metric, renderMetrics } from '../src/metric.ts';
import type { Workers } from './workers.ts';

/** The metrics of a worker process, as text for Prometheus. */
export function createWorkerMetrics(deps: { workers: Workers; conditions: Pick<Conditions, 'list'> }) {
  const { workers, conditions } = deps;
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });

  async function read(): Promise<Metric[]> {
    return [
      conditionMetric(conditions),
      gauge(
        'worker_active_jobs',
        'Jobs that this process runs now, by queue',
        workers.names.map((queue) => ({
          value: workers.get(queue).activity.jobsInHand,
          labels: { queue },
        })),
      ),
      ...(await registry.getMetricsAsJSON()),
    ];
  }

  return { show: async () => await renderMetrics(await read()) };
}
