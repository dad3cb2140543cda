import { collectDefaultMetrics, Histogram, Registry } from 'prom-client';
import type { ClickStatusReader } from '../clicks/recording/status.ts';
import type { CurrentEpoch } from '../epoch/epoch.ts';
import type { ClickEvents } from '../http/api/click-event-stream.ts';
import type { ConnectionCounts } from '../http/connections/connections.ts';
import type { RateLimits } from '../http/middleware/rate-limits.ts';
import type { RequestCounts } from '../http/middleware/request-counts.ts';
import type { LoadShedding } from '../http/server/load-shedding.ts';
import type { ProcessMetrics } from '../metrics/prometheus.ts';
import {
  buildInfo,
  counter,
  durationBuckets,
  durationHistogram,
  gauge,
  type Metric,
  renderMetrics,
} from '../metrics/prometheus.ts';
import { type Conditions, conditionMetric } from '../resilience/conditions.ts';
import type { PostgresMetrics } from '../storage/postgres/metrics.ts';
import type { MemoryCache } from '../urls/cache/memory-cache.ts';
import type { Urls } from '../urls/urls.ts';
import type { CircuitBreakers } from './circuit-breakers.ts';

/** The metrics of this process. What is measured counts in plain numbers, and is only asked here; how long answers take is told to
 *  `latencies`. */
export function createWebMetrics(deps: {
  clickStatus: ClickStatusReader;
  urls: Pick<Urls, 'resolved' | 'unusableUrls'>;
  memoryCache: Pick<MemoryCache, 'size'>;
  requestCounts: RequestCounts;
  loadShedding: Pick<LoadShedding, 'refused' | 'inProgress'>;
  connectionCounts: ConnectionCounts;
  rateLimits: Pick<RateLimits, 'budgets'>;
  breakers: CircuitBreakers;
  conditions: Pick<Conditions, 'list'>;
  epoch: Pick<CurrentEpoch, 'known'>;
  postgresMetrics: PostgresMetrics;
  clickEvents: Pick<ClickEvents, 'count'>;
  /** Whether to collect those of Node too, which has a cost. */
  withNode: boolean;
}) {
  const { clickStatus, urls, memoryCache, requestCounts, loadShedding, rateLimits, breakers } = deps;
  const { conditions, epoch, postgresMetrics, clickEvents, connectionCounts, withNode } = deps;
  const registry = new Registry();
  if (withNode) collectDefaultMetrics({ register: registry });
  const histogram = (name: string, help: string) =>
    new Histogram({ name: `linkmill_${name}`, help, buckets: durationBuckets, registers: [registry] });
  const latencies = {
    redirects: histogram('redirect_seconds', 'How long redirects took, of one in 64, about'),
    redirectsByTier: durationHistogram(
      'redirect_duration_seconds',
      'Time from the headers of a request until its redirect was sent, of a sample of one in 64, by tier',
      ['tier'],
    ),
    api: histogram('api_request_seconds', 'How long the answers of the API took'),
  };

  async function read(): Promise<ProcessMetrics> {
    const clicks = await clickStatus.read();
    return [
      buildInfo(),
      counter(
        'redirects_total',
        'Requests for a short code, by the tier that had it or by the reason why they were not redirected',
        Object.entries(urls.resolved).map(([outcome, value]) => ({ value, labels: { outcome } })),
      ),
      counter(
        'unusable_urls_total',
        'Short URLs that were read with a URL that no redirect can carry, each version once',
        urls.unusableUrls.count,
      ),
      counter(
        'load_shed_requests_total',
        'Requests that a process too busy refused, by kind; no other counter has them',
        Object.entries(loadShedding.refused).map(([kind, value]) => ({ value, labels: { kind } })),
      ),
      gauge(
        'requests_in_progress',
        'Requests in progress, without redirects from the memory cache',
        loadShedding.inProgress.all,
      ),
      ...connectionMetrics(connectionCounts),
      counter(
        'rate_limited_requests_total',
        'Requests that were answered 429, by whose budget of the minute was spent',
        Object.entries(rateLimits.budgets).map(([budget, { refused }]) => ({
          value: refused,
          labels: { budget: toLabel(budget) },
        })),
      ),
      gauge('memory_cache_entries', 'Short URLs that the process knows by heart', memoryCache.size),
      counter('http_requests_total', 'Answers to all other requests, by route', requestCounts.read()),
      await requestCounts.readDurations(),
      await latencies.redirectsByTier.read(),
      gauge(
        'click_event_streams',
        'Streams of click events (server-sent events) that are open in this process',
        clickEvents.count,
      ),
      ...(await postgresMetrics.read()),
      counter(
        'http_problems_total',
        'Requests that were answered with a problem, by its type; refusals of rate limits among them',
        requestCounts.readProblems(),
      ),
      gauge(
        'dependency_up',
        '1 while the circuit breaker of the store is closed, else 0',
        Object.entries(breakers).map(([dependency, { state }]) => ({
          value: state === 'closed' ? 1 : 0,
          labels: { dependency },
        })),
      ),
      conditionMetric(conditions),
      gauge(
        'database_epoch',
        'Number of the epoch of the database; absent until it is known',
        epoch.known?.number ?? [],
      ),
      counter('clicks_accepted_total', 'Clicks that this process recorded', clicks.recorded),
      counter(
        'clicks_dropped_total',
        'Clicks that found no room while both stores were away, never to be counted',
        clicks.dropped,
      ),
      counter(
        'clicks_confirmed_total',
        'Clicks of which this process has learnt that PostgreSQL has them',
        clicks.confirmed,
      ),
      gauge(
        'click_batches_unconfirmed',
        'Batches of this process that PostgreSQL is not known to have',
        clicks.unconfirmed,
      ),
      gauge(
        'click_batches_waiting',
        'Batches of all processes that wait in Redis; left out while that is away',
        clicks.waiting ?? [],
      ),
      gauge('click_lag_seconds', 'Age of the oldest batch on its way to PostgreSQL', clicks.lagMs / 1_000),
      gauge(
        'click_stream_available',
        'Whether clicks go to Redis (1) or straight to PostgreSQL (0)',
        clicks.usesRedis ? 1 : 0,
      ),
      ...(await registry.getMetricsAsJSON()),
    ];
  }

  return { read, latencies };
}

const connectionMetrics = ({ open, refused, closedIdle, waiting, cut }: ConnectionCounts): Metric[] => [
  gauge('connections', 'Connections to clients that are open', open),
  counter('rejected_connections_total', 'Connections that were refused because too many were open', refused),
  counter('closed_connections_total', 'Connections that were closed to protect the process, by reason', [
    { value: closedIdle, labels: { reason: 'idle' } },
    { value: cut, labels: { reason: 'too_many_waiting' } },
  ]),
  gauge(
    'requests_waiting',
    'Requests that wait until those before them on their connections are answered',
    waiting,
  ),
];

/** The metrics of all processes behind one port, the first one's labelled `process="1"`, and those of the service. They are not
 *  added up: a sum would shrink with each process that is replaced, which Prometheus would take for new traffic. Of a process that
 *  could not be asked `linkmill_web_process_up` is 0; where the primary process did not answer there are none of any. */
export async function renderMetricsOfAll(
  processes: (ProcessMetrics | undefined)[] | undefined,
  ofService: Metric[],
): Promise<string> {
  const up = gauge(
    'web_process_up',
    'Whether this process showed its metrics in time',
    (processes ?? []).map((metrics, i) => ({ value: metrics ? 1 : 0, labels: { process: i + 1 } })),
  );
  const primaryUp = gauge(
    'web_primary_up',
    'Whether the primary process answered in time',
    processes === undefined ? 0 : 1,
  );
  const labelled = (processes ?? []).flatMap((metrics = [], i) =>
    metrics.map((metric) => ({
      ...metric,
      values: metric.values.map((sample) => ({ ...sample, labels: { process: i + 1, ...sample.labels } })),
    })),
  );
  return await renderMetrics([primaryUp, up, ...ofService, ...labelled]);
}

/** As Prometheus spells names. */
const toLabel = (name: string) => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
