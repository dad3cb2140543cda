import type { Log } from '../log.ts';
import { gauge, type Metric } from '../metrics/prometheus.ts';
import { repeatedWarningsOf } from './repeated-warnings.ts';

/** Each condition that a process can report, and whether the process must not receive traffic while it holds. */
const severities = {
  /** PostgreSQL rejects connections, or does not answer. */
  postgres_unavailable: 'degraded',
  /** PostgreSQL is read-only. */
  postgres_read_only: 'degraded',
  /** The role lacks rights on tables. */
  postgres_rights_missing: 'degraded',
  /** Tables do not exist, or are not in the role's search path. */
  postgres_tables_missing: 'degraded',
  /** The role of a worker may not create and drop partitions of the analytics. */
  analytics_partitions_forbidden: 'degraded',
  /** Session settings that change results have other values than Linkmill needs. */
  postgres_settings: 'degraded',
  /** The database was restored, cloned or promoted a short time ago. */
  database_epoch_changed: 'degraded',
  /** The epoch of the database cannot be read. */
  database_epoch_unknown: 'degraded',
  /** The database lacks migrations that this version needs. */
  schema_outdated: 'not_ready',
  /** A newer version, or another program, changed the tables so that this version cannot work with them. */
  schema_incompatible: 'not_ready',
  /** CODES_IGNORE_CASE does not match how the database stores short codes. */
  short_code_case: 'not_ready',
  /** The applied migrations cannot be read. */
  schema_unknown: 'degraded',
  /** The process has reached its limit of open connections. */
  connection_limit: 'degraded',
  /** The process has reached its limit of requests in progress. */
  request_limit: 'degraded',
  /** A proxy sends client addresses and is not trusted. */
  proxy_untrusted: 'degraded',
  /** Redis does not answer. */
  redis_unavailable: 'degraded',
  /** Redis rejects the login, or its certificate is not trusted. */
  redis_login_refused: 'degraded',
  /** Redis is a cluster node or too old. */
  redis_unsupported: 'degraded',
  /** Redis is a replica, full, or cannot save. */
  redis_refuses_writes: 'degraded',
  /** The user of Redis lacks rights. */
  redis_rights_missing: 'degraded',
  /** Redis may evict clicks and jobs when it is full. */
  redis_evicts: 'degraded',
  /** The Redis of the cache does not work: it is away, refuses something, or lacks rights. */
  redis_cache_unusable: 'degraded',
  /** A standby that is to serve reads is away, behind, or none of this database. */
  replica_unusable: 'degraded',
  /** This process does not hear of changes, although the stores answer. */
  changes_unheard: 'degraded',
  /** No live worker process serves a queue. */
  workers_missing: 'degraded',
  /** Jobs are due and not taken. */
  jobs_overdue: 'degraded',
  /** A queue is paused. */
  queues_paused: 'degraded',
} satisfies Record<string, Severity>;

export type Severity = 'degraded' | 'not_ready';
export type ConditionCode = keyof typeof severities;

/** Every condition that a process can report. */
export const conditionCodes = Object.keys(severities) as ConditionCode[];

/** The severity of each condition. */
export const conditionSeverities: Readonly<Record<ConditionCode, Severity>> = severities;

/** A reason why the service is not healthy, as listed by `/health`. */
export interface Condition {
  code: ConditionCode;
  severity: Severity;
  /** One sentence for the operator: the cause and what to do. */
  reason: string;
  since: Date;
}

export type Conditions = ReturnType<typeof createConditions>;

/** The conditions of this process. Each change is logged once: when a condition begins, when its reason changes and when it ends. */
export function createConditions(log: Log, now: () => Date = () => new Date()) {
  const warnings = repeatedWarningsOf(log);
  const current = new Map<ConditionCode, Condition>();

  /** Reports a condition, or its new reason. */
  function set(code: ConditionCode, reason: string): void {
    const before = current.get(code);
    if (before?.reason === reason) return;
    const condition = { code, severity: severities[code], reason, since: before?.since ?? now() };
    current.set(code, condition);
    warnings.warn(`condition ${code}`, { condition: code, severity: condition.severity }, reason);
  }

  /** Reports that a condition has ended. */
  function clear(code: ConditionCode): void {
    const before = current.get(code);
    if (before === undefined) return;
    current.delete(code);
    const seconds = Math.round((now().getTime() - before.since.getTime()) / 1_000);
    warnings.end(`condition ${code}`, { condition: code, seconds }, 'condition has ended');
  }

  return {
    set,
    clear,

    /** Sets the condition with a reason, or clears it without one. */
    update(code: ConditionCode, reason: string | undefined): void {
      if (reason === undefined) clear(code);
      else set(code, reason);
    },

    /** The current conditions, in the order in which they began. */
    list: (): Condition[] => [...current.values()],

    /** Whether no condition forbids traffic. */
    isReady: (): boolean => [...current.values()].every(({ severity }) => severity !== 'not_ready'),
  };
}

/** The conditions of a process for Prometheus. */
export const conditionMetric = (conditions: Pick<Conditions, 'list'>): Metric =>
  gauge(
    'condition',
    'Current conditions that degrade the service, as listed in /health; always 1',
    conditions.list().map(({ code, severity }) => ({ value: 1, labels: { condition: code, severity } })),
  );
