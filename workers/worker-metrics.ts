import { collectDefaultMetrics, Registry } from 'prom-client';
import { buildInfo, gauge, type Metric, renderMetrics } from '../src/metrics/prometheus.ts';
import { type Conditions, conditionMetric } from '../src/resilience/conditions.ts';
import type { PostgresMetrics } from '../src/storage/postgres/metrics.ts';
import type { JobMetrics } from './job-metrics.ts';
import type { Workers } from './worker-pool.ts';

/** The metrics of a worker process in the text format of Prometheus. */
export function createWorkerMetrics(deps: {
  workers: Workers;
  conditions: Pick<Conditions, 'list'>;
  jobMetrics: JobMetrics;
  postgresMetrics: PostgresMetrics;
}) {
  const { workers, conditions, jobMetrics, postgresMetrics } = deps;
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });

  async function read(): Promise<Metric[]> {
    return [
      buildInfo(),
      conditionMetric(conditions),
      gauge(
        'worker_active_jobs',
        'Jobs that this process is running, by queue',
        workers.names.map((queue) => ({
          value: workers.activityOf(queue).activeJobs,
          labels: { queue },
        })),
      ),
      ...(await jobMetrics.read()),
      ...(await postgresMetrics.read()),
      ...(await registry.getMetricsAsJSON()),
    ];
  }

  return { show: async () => await renderMetrics(await read()) };
}
