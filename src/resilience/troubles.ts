import type { ConditionCode } from './conditions.ts';

interface Guidance {
  title: string;
  /** What visitors and clients of the API notice. */
  effect: string;
  /** What the operator can do; parts between backticks are code. */
  action: string;
}

const redirectsWork = 'Redirects work.';
const apiRejected = 'Redirects work. The API answers 503, and jobs wait.';

const ofConditions: Record<ConditionCode, Guidance> = {
  postgres_unavailable: {
    title: 'PostgreSQL is unavailable',
    effect:
      'Links in the caches redirect; others answer 503. The API answers 503. Clicks wait in Redis and in memory.',
    action:
      'Start PostgreSQL, or correct what the cause names: address, password, role, `pg_hba.conf`, `max_connections`.',
  },
  postgres_read_only: {
    title: 'PostgreSQL is read-only',
    effect: 'Links redirect. Changes answer 503. Clicks wait in Redis and in memory.',
    action:
      'Promote the standby, point `DATABASE_URL` to the primary, or reset `default_transaction_read_only`.',
  },
  postgres_rights_missing: {
    title: 'Rights in PostgreSQL are missing',
    effect: 'Requests that need the rights answer 503.',
    action: 'Run the grants that docs/operations.md lists under "PostgreSQL", or disable row level security.',
  },
  postgres_tables_missing: {
    title: 'Tables in PostgreSQL are missing',
    effect: 'Requests that need the tables answer 503.',
    action: 'Run `npm run migrate`. If the tables exist, correct the `search_path` of the role.',
  },
  analytics_partitions_forbidden: {
    title: 'Partitions of the analytics cannot be maintained',
    effect: `${redirectsWork} Clicks are counted. Old click events are kept beyond their retention.`,
    action:
      'Run `npm run job -- maintain-analytics` once a day as the owner of the tables, or make the role of the worker a member of the owner.',
  },
  postgres_settings: {
    title: 'Settings of PostgreSQL are overridden',
    effect: `${redirectsWork} Analytics may group clicks by another time zone.`,
    action: 'Reset the settings that the cause names with `alter role … reset` or `alter database … reset`.',
  },
  database_epoch_changed: {
    title: 'The database was restored, copied or promoted',
    effect: 'Links redirect as the database has them now. Clicks counted after the backup are lost.',
    action: 'Run `npm run reconcile`, or the job `audit`, and compare. The message ends after 10 minutes.',
  },
  database_epoch_unknown: {
    title: 'A restore of the database would not be noticed',
    effect: `${redirectsWork} After a restore, caches could redirect to old targets.`,
    action: 'Run `npm run migrate`, and grant execute on the function `read_database_epoch`.',
  },
  schema_outdated: {
    title: 'The database lacks migrations',
    effect: apiRejected,
    action: 'Run `npm run migrate`. The processes recover within 2 s, without a restart.',
  },
  schema_incompatible: {
    title: 'The tables belong to a newer version',
    effect: apiRejected,
    action: 'Start the newer version, or restore the backup from before its upgrade: see Rollback.',
  },
  short_code_case: {
    title: 'The case of short codes does not match',
    effect: apiRejected,
    action: 'Run `npm run fold-codes`, or correct `CODES_IGNORE_CASE`: see Case-insensitive short codes.',
  },
  schema_unknown: {
    title: 'The version of the tables is unknown',
    effect: 'None, if the tables match this version.',
    action: 'Grant select on the table `knex_migrations`, or restore this table from a backup.',
  },
  connection_limit: {
    title: 'Too many connections are open',
    effect: 'Some visitors cannot connect.',
    action:
      'Find the clients that open the connections. Raise `MAX_CONNECTIONS` and `ulimit -n`, or add web processes.',
  },
  request_limit: {
    title: 'Too many requests are in progress',
    effect: 'Some requests answer 503.',
    action: 'Find out which store is slow. Add web processes, or raise `MAX_REQUESTS`.',
  },
  proxy_untrusted: {
    title: 'The reverse proxy is not trusted',
    effect:
      'All visitors share one address: one can exhaust the rate limits and the password attempts of all, and countries are wrong.',
    action: 'Set `TRUSTED_PROXY_HOPS` to the number of reverse proxies, and restart the web processes.',
  },
  redis_unavailable: {
    title: 'Redis is unavailable',
    effect: 'Links redirect, more slowly. Clicks are counted through PostgreSQL. Jobs wait.',
    action: 'Start Redis, and check `REDIS_URL` and the network.',
  },
  redis_login_refused: {
    title: 'Redis refuses the login',
    effect: 'Links redirect, more slowly. Clicks are counted through PostgreSQL. Jobs wait.',
    action: 'Correct the user and the password in `REDIS_URL`, or the certificate in `REDIS_CA`.',
  },
  redis_unsupported: {
    title: 'This Redis is not supported',
    effect: 'Links redirect, more slowly. Jobs may not run.',
    action:
      'Point `REDIS_URL` to a Redis 6.2 or newer and to a database that exists; a Redis Cluster needs `redis+cluster://`.',
  },
  redis_refuses_writes: {
    title: 'Redis refuses writes',
    effect: 'Links redirect. Clicks are counted through PostgreSQL. Jobs wait.',
    action: 'Point `REDIS_URL` to the primary, or give Redis memory or disk space.',
  },
  redis_rights_missing: {
    title: 'Rights in Redis are missing',
    effect: 'Links redirect. What needs the rights does not work: caches, clicks or jobs.',
    action: 'Grant the rights that docs/operations.md lists under "Redis".',
  },
  redis_evicts: {
    title: 'Redis may evict clicks and jobs',
    effect: 'None until Redis is full; then clicks wait longer, and jobs may be lost.',
    action: 'Run `redis-cli CONFIG SET maxmemory-policy noeviction`, and set it in the configuration file.',
  },
  redis_cache_unusable: {
    title: 'The Redis of the cache does not work',
    effect: 'Links redirect, more slowly. Clicks are counted. The jobs warm-cache and reconcile-cache wait.',
    action: 'Start the Redis of `REDIS_CACHE_URL`, and correct what the cause names.',
  },
  replica_unusable: {
    title: 'A standby serves no reads',
    effect: 'None, except that the primary serves lists, search, analytics and exports too.',
    action:
      'Start the standby of `DATABASE_REPLICA_URL`, let it catch up, or point the setting to a standby of `DATABASE_URL`.',
  },
  changes_unheard: {
    title: 'A process does not hear of changes',
    effect:
      'Links redirect. Changes by other programs or processes take effect late: within `CACHE_TTL_SECONDS`, or when the job `reconcile-cache` runs.',
    action:
      'Point `DATABASE_DIRECT_URL` to PostgreSQL itself, not to PgBouncer, and let its role connect. Grant `SUBSCRIBE` to the user of Redis.',
  },
  workers_missing: {
    title: 'No worker is running',
    effect:
      'Links redirect. Web processes count the clicks, seconds late. Imports and exports wait, and the key pool is not replenished.',
    action: 'Start a worker with `npm run worker`, or one with the `--queues` that the cause names.',
  },
  jobs_overdue: {
    title: 'Jobs are overdue',
    effect: 'Links redirect. What the queues do is late: counting clicks, imports, exports or clean-ups.',
    action: 'Read the log of the workers, and restart them.',
  },
  queues_paused: {
    title: 'Queues are paused',
    effect: 'Links redirect. What the queues do waits.',
    action: 'Resume the queues in Bull Board.',
  },
};

const ofLoad = {
  clicks_late: {
    title: 'Clicks are counted late',
    effect: 'Links redirect. Click counts and analytics lag behind.',
    action: 'Start workers for `flush-clicks`, and look for locks and slow statements in PostgreSQL.',
  },
  clicks_dropped: {
    title: 'Clicks were dropped',
    effect: 'Links redirected. The dropped clicks are never counted.',
    action:
      'Start PostgreSQL or Redis. Raise `CLICK_BUFFER_MAX_ENTRIES` to survive longer outages. The number is reset by a restart.',
  },
  requests_rejected: {
    title: 'Requests are rejected because of load',
    effect: 'Some requests of the API answer 503 and, under more load, some redirects.',
    action: 'Add web processes. Find the clients and the requests that use the processor.',
  },
} satisfies Record<string, Guidance>;

export type TroubleCode = keyof typeof guidance;

/** What each trouble of the service means and what to do: the conditions of `/health`, and what their numbers show. The page `/docs/runbook`
 *  and a section of docs/runbook.md derive from it. */
export const guidance = { ...ofConditions, ...ofLoad };
