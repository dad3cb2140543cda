import { collectDefaultMetrics, Registry } from 'prom-client';
import type { ClickStatus, ClickStatusReader } from '../clicks/recording/status.ts';
import type { CurrentEpoch } from '../epoch/epoch.ts';
import type { ClickEvents } from '../http/api/analytics/click-event-stream.ts';
import type { ConnectionCounts } from '../http/connections/connections.ts';
import type { RateLimits } from '../http/middleware/rate-limits.ts';
import type { RequestCounts } from '../http/middleware/request-counts.ts';
import type { LoadShedding } from '../http/server/load-shedding.ts';
import type { RedirectDurations } from '../http/server/redirect-duration.ts';
import {
  buildInfo,
  counter,
  gauge,
  type Metric,
  type ProcessMetrics,
  renderMetrics,
} from '../metrics/prometheus.ts';
import { type Conditions, conditionMetric } from '../resilience/conditions.ts';
import type { PostgresMetrics } from '../storage/postgres/metrics.ts';
import type { OpenReplica } from '../storage/reads/open-replica.ts';
import type { MemoryCache } from '../urls/cache/memory-cache.ts';
import type { Subscriptions } from '../urls/changes/subscriptions.ts';
import type { Urls } from '../urls/urls.ts';
import type { CircuitBreakers } from './stores/circuit-breakers.ts';

interface WebMetricsDeps {
  clickStatus: ClickStatusReader;
  urls: Pick<Urls, 'resolved' | 'unusableUrls'>;
  memoryCache: Pick<MemoryCache, 'size'>;
  requestCounts: RequestCounts;
  redirectDurations: Pick<RedirectDurations, 'read'>;
  loadShedding: Pick<LoadShedding, 'rejected' | 'inProgress'>;
  connectionCounts: ConnectionCounts;
  rateLimits: Pick<RateLimits, 'limiters'>;
  breakers: CircuitBreakers;
  replica: OpenReplica | undefined;
  subscriptions: Pick<Subscriptions, 'read'>;
  conditions: Pick<Conditions, 'list'>;
  epoch: Pick<CurrentEpoch, 'known'>;
  postgresMetrics: PostgresMetrics;
  clickEvents: Pick<ClickEvents, 'count'>;
  /** Whether to collect the metrics of Node.js, which use processor time. */
  withNode: boolean;
}

/** Returns a reader of this process's metrics. The modules count in plain numbers, which are read only here. */
export function createWebMetrics(deps: WebMetricsDeps) {
  const { clickStatus, epoch, conditions, postgresMetrics, redirectDurations, requestCounts, withNode } =
    deps;
  const registry = new Registry();
  if (withNode) collectDefaultMetrics({ register: registry });

  return async function readMetrics(): Promise<ProcessMetrics> {
    return [
      buildInfo(),
      ...redirectMetrics(deps),
      await redirectDurations.read(),
      ...requestMetrics(deps),
      await requestCounts.readDurations(),
      ...connectionMetrics(deps.connectionCounts),
      ...storeMetrics(deps),
      ...(await postgresMetrics.read()),
      conditionMetric(conditions),
      gauge(
        'database_epoch',
        'Number of the database epoch; absent until it is known',
        epoch.known?.number ?? [],
      ),
      ...clickMetrics(await clickStatus.read()),
      ...(await registry.getMetricsAsJSON()),
    ];
  };
}

const redirectMetrics = ({ urls, memoryCache }: WebMetricsDeps): Metric[] => [
  counter(
    'redirects_total',
    'Requests for a short code, by the tier that had it or the reason for not redirecting',
    Object.entries(urls.resolved).map(([outcome, value]) => ({
      value,
      labels: { outcome: toLabel(outcome) },
    })),
  ),
  counter(
    'unusable_urls_total',
    'Short URLs read with a URL that cannot be a Location header; each version counts once',
    urls.unusableUrls.count,
  ),
  gauge('memory_cache_entries', 'Short URLs in the memory cache', memoryCache.size),
];

const requestMetrics = ({
  requestCounts,
  loadShedding,
  rateLimits,
  clickEvents,
}: WebMetricsDeps): Metric[] => [
  counter('http_requests_total', 'Responses, without redirects, by route', requestCounts.read()),
  counter(
    'http_problems_total',
    'Requests that were answered with a problem, by its type',
    requestCounts
      .readProblems()
      .map(({ value, labels }) => ({ value, labels: { type: toLabel(labels.type) } })),
  ),
  counter(
    'load_shed_requests_total',
    'Requests that load shedding rejected, by kind; no other counter includes them',
    Object.entries(loadShedding.rejected).map(([kind, value]) => ({ value, labels: { kind } })),
  ),
  counter(
    'rate_limited_requests_total',
    'Requests that a rate limit rejected, by limit',
    Object.entries(rateLimits.limiters).map(([limiter, { rejected }]) => ({
      value: rejected,
      labels: { limiter: toLabel(limiter) },
    })),
  ),
  gauge(
    'requests_in_progress',
    'Requests in progress, without redirects from the memory cache',
    loadShedding.inProgress.all,
  ),
  gauge('click_event_streams', 'Open streams of click events (server-sent events)', clickEvents.count),
];

const connectionMetrics = ({ open, rejected, closedIdle, waiting, cut }: ConnectionCounts): Metric[] => [
  gauge('connections', 'Open client connections', open),
  counter('rejected_connections_total', 'Connections rejected because too many were open', rejected),
  counter('closed_connections_total', 'Connections closed to protect the process, by reason', [
    { value: closedIdle, labels: { reason: 'idle' } },
    { value: cut, labels: { reason: 'too_many_waiting' } },
  ]),
  gauge('requests_waiting', 'Pipelined requests that wait for earlier requests on their connection', waiting),
];

const storeMetrics = ({ breakers, subscriptions, replica }: WebMetricsDeps): Metric[] => [
  gauge(
    'dependency_up',
    '1 while the circuit breaker of the store is closed, else 0',
    Object.entries({
      postgres: breakers.postgres,
      redis: breakers.redis,
      ...(breakers.cache !== breakers.redis && { redis_cache: breakers.cache }),
      ...(replica && { postgres_replica: replica.breaker }),
    }).map(([dependency, { state }]) => ({ value: state === 'closed' ? 1 : 0, labels: { dependency } })),
  ),
  gauge(
    'replica_lag_seconds',
    'Time until the standby of DATABASE_REPLICA_URL had replayed what the primary had committed; absent while unknown',
    replica?.lagSeconds() ?? [],
  ),
  counter(
    'replica_reads_total',
    'With DATABASE_REPLICA_URL: reads of lists, search and analytics by the server that answered',
    Object.entries(replica?.reads() ?? { standby: 0, primary: 0 }).map(([server, value]) => ({
      value,
      labels: { server },
    })),
  ),
  gauge(
    'subscription_up',
    '1 while the process hears of changes through this subscription, else 0',
    subscriptions.read(),
  ),
];

const clickMetrics = (clicks: ClickStatus): Metric[] => [
  counter('clicks_accepted_total', 'Clicks that this process recorded', clicks.recorded),
  counter(
    'clicks_dropped_total',
    'Clicks lost because both stores were unavailable and the buffer was full',
    clicks.dropped,
  ),
  counter('clicks_confirmed_total', 'Clicks of this process that PostgreSQL has confirmed', clicks.confirmed),
  gauge(
    'click_batches_unconfirmed',
    'Batches of this process that PostgreSQL has not confirmed',
    clicks.unconfirmed,
  ),
  gauge(
    'click_batches_waiting',
    'Batches of all processes that wait in Redis; absent while Redis does not answer',
    clicks.waiting ?? [],
  ),
  gauge('click_lag_seconds', 'Age of the oldest batch that is not in PostgreSQL', clicks.lagMs / 1_000),
  gauge(
    'click_stream_available',
    '1 while clicks go to Redis, 0 while they go to PostgreSQL directly',
    clicks.usesRedis ? 1 : 0,
  ),
];

/** Renders the metrics of a cluster's web processes, with the label `process` from 1, and those of the service. They are not summed:
 *  a sum shrinks when a process is replaced, which Prometheus takes for a counter reset. `linkmill_web_process_up` is 0 for a process
 *  that did not answer; if the primary process did not answer, no process has metrics. */
export async function renderClusterMetrics(
  processes: (ProcessMetrics | undefined)[] | undefined,
  ofService: Metric[],
): Promise<string> {
  const up = gauge(
    'web_process_up',
    '1 if this web process answered in time',
    (processes ?? []).map((metrics, i) => ({ value: metrics ? 1 : 0, labels: { process: i + 1 } })),
  );
  const primaryUp = gauge(
    'web_primary_up',
    '1 if the primary process answered in time',
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

/** Converts a name to a label value in snake_case. */
const toLabel = (name: string) =>
  name.replaceAll('-', '_').replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
