import type { WebConfig } from '../../config/web.ts';
import type { CurrentEpoch } from '../../epoch/epoch.ts';
import type { Log } from '../../log.ts';
import type { Conditions } from '../../resilience/conditions.ts';
import type { ClosingStack } from '../../resilience/shutdown.ts';
import type { PostgresMetrics } from '../../storage/postgres/metrics.ts';

/** The process-wide objects that every module of a web process needs. */
export interface WebContext {
  config: WebConfig;
  log: Log;
  closing: ClosingStack;
  conditions: Conditions;
  postgresMetrics: PostgresMetrics;
  epoch: CurrentEpoch;
  /** Shuts the process down gracefully, for a reason that is logged. */
  endProcess: (reason: string) => void;
}
