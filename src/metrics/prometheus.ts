import { AggregatorRegistry, Histogram, type MetricType } from 'prom-client';
import { version } from '../version.ts';

/** The samples of one metric. `src/web/metrics.ts`, `workers/worker-metrics.ts` and `src/http/ops/service-metrics.ts` (state of Redis) list
 *  the metrics; histograms are declared where they are observed. */
export interface Metric {
  name: string;
  help: string;
  type: MetricType | 'counter' | 'gauge';
  values: Sample[];
}

export interface Sample {
  value: number;
  labels: Partial<Record<string, string | number>>;
}

/** Renders metrics in the text format of Prometheus; metrics of the same name are merged. */
export async function renderMetrics(metrics: Metric[]): Promise<string> {
  return await AggregatorRegistry.aggregate([
    metrics.map((metric) => ({ ...metric, aggregator: 'sum' })),
  ]).metrics();
}

/** Bucket bounds of durations, in seconds. */
export const durationBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** A histogram of durations in seconds. An observation takes about a microsecond, which is too slow for each redirect. */
export function durationHistogram<Label extends string>(
  name: string,
  help: string,
  labelNames: Label[],
  buckets = durationBuckets,
) {
  const histogram = new Histogram({ name: `linkmill_${name}`, help, labelNames, buckets, registers: [] });
  return {
    observe: (labels: Record<Label, string>, seconds: number): void => histogram.observe(labels, seconds),
    read: async (): Promise<Metric> => await histogram.get(),
  };
}

/** The version of the process. */
export const buildInfo = (): Metric =>
  gauge('build_info', 'Version of Linkmill and of Node.js that this process runs; always 1', [
    { value: 1, labels: { version, node: process.versions.node } },
  ]);

export const counter = (name: string, help: string, value: number | Sample[]) =>
  createMetric('counter', name, help, value);
export const gauge = (name: string, help: string, value: number | Sample[]) =>
  createMetric('gauge', name, help, value);

function createMetric(
  type: 'counter' | 'gauge',
  name: string,
  help: string,
  value: number | Sample[],
): Metric {
  const values = typeof value === 'number' ? [{ value, labels: {} }] : value;
  return { name: `linkmill_${name}`, help, type, values };
}

/** The metrics of one process. */
export type ProcessMetrics = Metric[];
