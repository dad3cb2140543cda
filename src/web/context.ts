import type { WebConfig } from '../config/web.ts';
import type { CurrentEpoch } from '../epoch/epoch.ts';
import type { Log } from '../log.ts';
import type { Conditions } from '../resilience/conditions.ts';
import type { ClosingStack } from '../resilience/shutdown.ts';
import type { PostgresMetrics } from '../storage/postgres/metrics.ts';

/** What each part of a web process is opened with. */
export interface WebContext {
  config: WebConfig;
  log: Log;
  closing: ClosingStack;
  conditions: Conditions;
  postgresMetrics: PostgresMetrics;
  epoch: CurrentEpoch;
}
