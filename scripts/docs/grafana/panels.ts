/** A diagram, or the latest value. */
export interface PanelText {
  title: string;
  /** What it tells an operator. */
  description: string;
  /** A unit of Grafana. */
  unit: 'reqps' | 'ops' | 's' | 'short' | 'percentunit' | 'bytes';
  /** PromQL by the legend of its series, in which `{{label}}` is the value of a label. */
  queries: Record<string, string>;
  /** From here on the value is red, as in the alerts. */
  redAbove?: number;
  redBelow?: number;
  kind?: 'timeseries' | 'stat';
}

const failed = '{outcome=~"error|unavailable"}';
const redirects = 'linkmill_redirects_total';
const quantile = (share: number, histogram: string, by: string) =>
  `histogram_quantile(${share}, sum by (${by}, le) (rate(${histogram}_bucket[$__rate_interval])))`;
const rate = (counter: string, by = '') => `sum ${by && `by (${by}) `}(rate(${counter}[$__rate_interval]))`;
const latest = (gauge: string, by = '') => `max ${by && `by (${by}) `}(${gauge})`;

/** The rows of the board, from what visitors notice to the processes. */
export const rows: Record<string, PanelText[]> = {
  Visitors: [
    {
      title: 'Redirects',
      description:
        'Requests for short codes by outcome. `memory`, `redis`, `database` and `stale` are redirects from that tier.',
      unit: 'reqps',
      queries: { '{{outcome}}': rate(redirects, 'outcome') },
    },
    {
      title: 'Failed redirects',
      description:
        'Share of requests for short codes that got no answer. Alert above 1 %; 99.99 % a month allows 0.01 %.',
      unit: 'percentunit',
      queries: { failed: `(${rate(`${redirects}${failed}`)} or vector(0)) / ${rate(redirects)}` },
      redAbove: 0.01,
    },
    {
      title: 'Error budget used in 6 hours',
      description:
        'How many times faster than allowed the budget of 99.99 % a month is used. 1 uses it up in a month; the alert begins at 6.',
      unit: 'short',
      queries: {
        'times the budget': `((sum(rate(${redirects}${failed}[6h])) or vector(0)) / sum(rate(${redirects}[6h]))) / 0.0001`,
      },
      redAbove: 6,
      kind: 'stat',
    },
    {
      title: 'Duration of redirects',
      description: 'From the headers of a request until its redirect was sent, of one request in 64.',
      unit: 's',
      queries: {
        'p50 {{tier}}': quantile(0.5, 'linkmill_redirect_duration_seconds', 'tier'),
        'p99 {{tier}}': quantile(0.99, 'linkmill_redirect_duration_seconds', 'tier'),
      },
      redAbove: 0.25,
    },
    {
      title: 'API requests',
      description: 'Answers by status, redirects excepted.',
      unit: 'reqps',
      queries: { '{{status}}': rate('linkmill_http_requests_total', 'status') },
    },
    {
      title: 'Duration of API requests',
      description: 'Time until an answer was ready, of the slowest 1 % by route.',
      unit: 's',
      queries: { '{{route}}': quantile(0.99, 'linkmill_http_request_duration_seconds', 'route') },
    },
  ],
  Clicks: [
    {
      title: 'Clicks',
      description: 'Recorded clicks, and those that PostgreSQL has confirmed. Both must be equal over time.',
      unit: 'ops',
      queries: {
        recorded: rate('linkmill_clicks_accepted_total'),
        confirmed: rate('linkmill_clicks_confirmed_total'),
      },
    },
    {
      title: 'Oldest click that is not counted',
      description:
        'Age of the oldest batch that is not in PostgreSQL. Add workers for flush-clicks if it grows.',
      unit: 's',
      queries: { age: latest('linkmill_click_lag_seconds') },
      redAbove: 60,
    },
    {
      title: 'Batches that wait',
      description:
        'Batches of clicks in Redis, and those that web processes keep until PostgreSQL confirms them.',
      unit: 'short',
      queries: {
        'in Redis': latest('linkmill_click_batches_waiting'),
        unconfirmed: 'sum(linkmill_click_batches_unconfirmed)',
      },
    },
    {
      title: 'Lost clicks',
      description: 'Clicks that were dropped within a day because both stores were away and memory was full.',
      unit: 'short',
      queries: { lost: 'sum(increase(linkmill_clicks_dropped_total[1d]))' },
      redAbove: 1,
      kind: 'stat',
    },
  ],
  Jobs: [
    {
      title: 'Oldest job that is due',
      description: 'How long the oldest waiting job of each queue has been due. Add workers for that queue.',
      unit: 's',
      queries: { '{{queue}}': latest('linkmill_queue_oldest_job_age_seconds', 'queue') },
      redAbove: 60,
    },
    {
      title: 'Jobs by state',
      description: 'Jobs of all queues. Failed ones are kept for a week; Bull Board shows them.',
      unit: 'short',
      queries: { '{{state}}': 'sum by (state) (max by (queue, state) (linkmill_queue_jobs))' },
    },
    {
      title: 'Failed jobs',
      description: 'Failed attempts at jobs within half an hour, by queue.',
      unit: 'short',
      queries: {
        '{{queue}}':
          'sum by (queue) (increase(linkmill_job_duration_seconds_count{outcome="failed"}[30m])) or sum by (queue) (0 * linkmill_job_duration_seconds_count)',
      },
      redAbove: 3,
    },
    {
      title: 'Duration of jobs',
      description: 'The slowest 5 % of the attempts at jobs, by queue.',
      unit: 's',
      queries: { '{{queue}}': quantile(0.95, 'linkmill_job_duration_seconds', 'queue') },
    },
    {
      title: 'Workers',
      description: 'Worker processes that serve each queue. A queue without one does not move.',
      unit: 'short',
      queries: { '{{queue}}': latest('linkmill_queue_workers', 'queue') },
      redBelow: 1,
    },
  ],
  'Keys and caches': [
    {
      title: 'Key pool',
      description: 'Keys that creates can take. The job replenish-keys fills it.',
      unit: 'short',
      queries: { keys: latest('linkmill_key_pool_size') },
      redBelow: 1_000,
    },
    {
      title: 'Redirects from memory',
      description: 'Share of redirects that needed no store. Raise MEMORY_CACHE_MAX_ENTRIES if it falls.',
      unit: 'percentunit',
      queries: {
        'from memory': `${rate(`${redirects}{outcome="memory"}`)} / ${rate(`${redirects}{outcome=~"memory|redis|database|stale"}`)}`,
      },
    },
    {
      title: 'Short URLs in memory',
      description: 'Entries of the memory cache, of all web processes.',
      unit: 'short',
      queries: { entries: 'sum(linkmill_memory_cache_entries)' },
    },
  ],
  Stores: [
    {
      title: 'Stores and subscriptions',
      description: '1 while the circuit breaker of a store is closed, and while a process hears of changes.',
      unit: 'short',
      queries: {
        '{{dependency}}': 'min by (dependency) (linkmill_dependency_up)',
        '{{subscription}}': 'min by (subscription) (linkmill_subscription_up)',
      },
      redBelow: 1,
    },
    {
      title: 'Statements',
      description: 'Time of statements in PostgreSQL, of the slowest 1 % by pool.',
      unit: 's',
      queries: { '{{pool}}': quantile(0.99, 'linkmill_postgres_query_duration_seconds', 'pool') },
    },
    {
      title: 'Statements that wait for a connection',
      description: 'If it stays above 0, raise DATABASE_POOL_MAX, or use a faster PostgreSQL.',
      unit: 'short',
      queries: { '{{pool}}': 'sum by (pool) (linkmill_postgres_pool_waiting_requests)' },
      redAbove: 1,
    },
    {
      title: 'Standby',
      description:
        'How far the standby of DATABASE_REPLICA_URL is behind, and reads by the server that answered.',
      unit: 'short',
      queries: {
        'seconds behind': `${latest('linkmill_replica_lag_seconds')} or vector(0)`,
        'reads a second from the {{server}}': rate('linkmill_replica_reads_total', 'server'),
      },
    },
  ],
  Processes: [
    {
      title: 'Conditions',
      description: 'Why a process is not healthy. The runbook has a section for each.',
      unit: 'short',
      queries: { '{{condition}}': `${latest('linkmill_condition', 'condition')} or vector(0)` },
      redAbove: 1,
    },
    {
      title: 'Processor time',
      description: 'Cores that each process uses. A web process uses at most a little more than one.',
      unit: 'short',
      queries: {
        '{{instance}} {{process}}':
          'sum by (instance, process) (rate(process_cpu_seconds_total[$__rate_interval]))',
      },
    },
    {
      title: 'Memory',
      description: 'Resident memory of each process.',
      unit: 'bytes',
      queries: { '{{instance}} {{process}}': 'sum by (instance, process) (process_resident_memory_bytes)' },
    },
    {
      title: 'Event loop',
      description:
        'Delay of the event loop, of the slowest 1 %. Requests are refused above MAX_EVENT_LOOP_DELAY_MS.',
      unit: 's',
      queries: {
        '{{instance}} {{process}}': 'max by (instance, process) (nodejs_eventloop_lag_p99_seconds)',
      },
    },
    {
      title: 'Refused requests',
      description: 'Requests that a busy process refused, and those that a rate limit rejected.',
      unit: 'reqps',
      queries: {
        'busy: {{kind}}': rate('linkmill_load_shed_requests_total', 'kind'),
        'limit: {{limiter}}': rate('linkmill_rate_limited_requests_total', 'limiter'),
      },
    },
    {
      title: 'Connections',
      description: 'Open connections to clients.',
      unit: 'short',
      queries: { open: 'sum(linkmill_connections)' },
    },
  ],
};
