import { AggregatorRegistry, collectDefaultMetrics, type MetricType, Registry } from 'prom-client';
import type { ClickWatch } from './clicks/click-watch.ts';
import type { RateLimits } from './http/rate-limits.ts';
import type { RequestCounts } from './http/request-counts.ts';
import type { LoadShedding } from './http/shed-load.ts';
import type { ProcessCache } from './urls/process-cache.ts';
import type { Urls } from './urls/urls.ts';
import type { WebBreakers } from './web-breakers.ts';

/** What Prometheus is told under one name. */
interface Metric {
  name: string;
  help: string;
  type: MetricType | 'counter' | 'gauge';
  values: Sample[];
}

interface Sample {
  value: number;
  labels: Partial<Record<string, string | number>>;
}

/** The metrics of one process: its own, and the usual ones of Node. */
export type ProcessMetrics = Metric[];

/** Reads the metrics of this process. What is measured counts in plain numbers, and is only asked here. */
export function createWebMetrics(deps: {
  clickWatch: ClickWatch;
  urls: Pick<Urls, 'resolved'>;
  processCache: Pick<ProcessCache, 'size'>;
  requestCounts: RequestCounts;
  loadShedding: Pick<LoadShedding, 'refused'>;
  rateLimits: Pick<RateLimits, 'budgets'>;
  breakers: WebBreakers;
  /** Whether to collect those of Node too, which has a cost. */
  withNode: boolean;
}) {
  const { clickWatch, urls, processCache, requestCounts, loadShedding, rateLimits, breakers, withNode } =
    deps;
  const ofNode = new Registry();
  if (withNode) collectDefaultMetrics({ register: ofNode });

  return async (): Promise<ProcessMetrics> => {
    const clicks = await clickWatch.read();
    return [
      counter(
        'redirects_total',
        'Requests for a short code, by where it was found or why it leads nowhere',
        Object.entries(urls.resolved).map(([outcome, value]) => ({ value, labels: { outcome } })),
      ),
      counter(
        'requests_refused_total',
        'Requests that a process too busy refused, by kind; no other counter has them',
        Object.entries(loadShedding.refused).map(([kind, value]) => ({ value, labels: { kind } })),
      ),
      counter(
        'requests_limited_total',
        'Requests that were answered 429, by whose budget of the minute was spent',
        Object.entries(rateLimits.budgets).map(([budget, { refused }]) => ({
          value: refused,
          labels: { budget: toLabel(budget) },
        })),
      ),
      gauge('process_cache_entries', 'Short URLs that the process knows by heart', processCache.size),
      counter('http_requests_total', 'Answers to all other requests, by route', requestCounts.read()),
      gauge(
        'store_answers',
        'Whether a store is asked (1), or left alone because it did not answer (0)',
        Object.entries(breakers).map(([store, { state }]) => ({
          value: state === 'closed' ? 1 : 0,
          labels: { store },
        })),
      ),
      counter('clicks_accepted_total', 'Clicks that this process recorded', clicks.accepted),
      counter(
        'clicks_dropped_total',
        'Clicks that found no room while both stores were away, never to be counted',
        clicks.dropped,
      ),
      gauge(
        'click_batches_unconfirmed',
        'Batches of this process that PostgreSQL is not known to have',
        clicks.unconfirmed,
      ),
      gauge('click_batches_waiting', 'Batches of all processes that wait in Redis', clicks.waiting ?? NaN),
      gauge('click_lag_seconds', 'Age of the oldest batch on its way to PostgreSQL', clicks.lagMs / 1_000),
      gauge(
        'clicks_to_redis',
        'Whether clicks go to Redis (1) or straight to PostgreSQL (0)',
        clicks.toRedis ? 1 : 0,
      ),
      ...(await ofNode.getMetricsAsJSON()),
    ];
  };
}

/** The metrics of a process that is alone, as Prometheus reads them. */
export const renderMetrics = (metrics: ProcessMetrics): Promise<string> => render([metrics]);

/** The metrics of all processes behind one port, the first one's labelled `process="1"`. They are not added up: a sum would
 *  shrink with each process that is replaced, which Prometheus would take for new traffic. Of a process that could not be asked
 *  `linkmill_web_process_up` is 0. */
export async function renderMetricsOfAll(processes: (ProcessMetrics | undefined)[]): Promise<string> {
  const up = gauge(
    'web_process_up',
    'Whether this process showed its metrics in time',
    processes.map((metrics, i) => ({ value: metrics ? 1 : 0, labels: { process: i + 1 } })),
  );
  const labelled = processes.map((metrics = [], i) =>
    metrics.map((metric) => ({
      ...metric,
      values: metric.values.map((sample) => ({ ...sample, labels: { process: i + 1, ...sample.labels } })),
    })),
  );
  return await render([[up], ...labelled]);
}

/** The aggregation of prom-client serves to bring what has the same name under one heading. */
const render = (processes: ProcessMetrics[]) =>
  AggregatorRegistry.aggregate(
    processes.map((metrics) => metrics.map((metric) => ({ ...metric, aggregator: 'sum' }))),
  ).metrics();

/** As Prometheus spells names. */
const toLabel = (name: string) => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const counter = (name: string, help: string, value: number | Sample[]) =>
  ofLinkmill('counter', name, help, value);
const gauge = (name: string, help: string, value: number | Sample[]) =>
  ofLinkmill('gauge', name, help, value);

function ofLinkmill(type: 'counter' | 'gauge', name: string, help: string, value: number | Sample[]): Metric {
  const values = typeof value === 'number' ? [{ value, labels: {} }] : value;
  return { name: `linkmill_${name}`, help, type, values };
}
