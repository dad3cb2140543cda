import { AggregatorRegistry, type MetricType } from 'prom-client';

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

export const counter = (name: string, help: string, value: number | Sample[]) =>
  ofLinkmill('counter', name, help, value);
export const gauge = (name: string, help: string, value: number | Sample[]) =>
  ofLinkmill('gauge', name, help, value);

function ofLinkmill(type: 'counter' | 'gauge', name: string, help: string, value: number | Sample[]): Metric {
  const values = typeof value === 'number' ? [{ value, labels: {} }] : value;
  return { name: `linkmill_${name}`, help, type, values };
}
