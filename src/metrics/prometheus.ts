import { AggregatorRegistry, Histogram, type MetricType } from 'prom-client';
import { version } from '../version.ts';

/** What Prometheus is told under one name. */
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

/** The text for Prometheus, what has the same name under one heading. */
export async function renderMetrics(metrics: Metric[]): Promise<string> {
  return await AggregatorRegistry.aggregate([
    metrics.map((metric) => ({ ...metric, aggregator: 'sum' })),
  ]).metrics();
}

/** Upper bounds of the buckets of durations, in seconds. */
export const durationBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

export type DurationHistogram<Label extends string> = ReturnType<typeof durationHistogram<Label>>;

/** A histogram of durations in seconds. An observation costs about a microsecond: too much for each redirect. */
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

/** Which build a process runs. */
export const buildInfo = (): Metric =>
  gauge('build_info', 'Version of Linkmill and of Node.js that this process runs; always 1', [
    { value: 1, labels: { version, node: process.versions.node } },
  ]);

export const counter = (name: string, help: string, value: number | Sample[]) =>
  ofLinkmill('counter', name, help, value);
export const gauge = (name: string, help: string, value: number | Sample[]) =>
  ofLinkmill('gauge', name, help, value);

function ofLinkmill(type: 'counter' | 'gauge', name: string, help: string, value: number | Sample[]): Metric {
  const values = typeof value === 'number' ? [{ value, labels: {} }] : value;
  return { name: `linkmill_${name}`, help, type, values };
}

/** The metrics of one process. */
export type ProcessMetrics = Metric[];
