import type { Log } from '../../log.ts';
import type { Conditions } from '../../resilience/conditions.ts';
import type { ClosingStack } from '../../resilience/shutdown.ts';
import type { PostgresMetrics } from '../postgres/metrics.ts';
import { abandonPostgres, type Knex, openPostgres } from '../postgres/postgres.ts';
import type { Position } from './position.ts';
import type { ReadPool } from './read-pool.ts';
import { type ReplicaWatch, watchReplica } from './replica-watch.ts';
import { createReplica, type Replica } from './replica.ts';

/** Connections that compare the standby with the primary. */
const maxChecks = 2;
/** Time limit of a comparison. */
const checkTimeoutMs = 1_000;

/** The standby that serves reads. */
export interface OpenReplica
  extends Pick<Replica, 'breaker' | 'ping' | 'reads'>, Pick<ReplicaWatch, 'lagSeconds'> {
  /** Opens a pool to the standby for the reads of `primary`, a pool to the primary. */
  openReadPool: (
    primary: Knex,
    options: { name: string; poolMax: number; queryTimeoutMs: number },
  ) => ReadPool;
}

/** Opens the standby of `DATABASE_REPLICA_URL`; undefined without one. `findPosition` reads the position of the primary. `role` begins the
 *  names of its connections. */
export function openReplica(
  role: string,
  { DATABASE_REPLICA_URL: url }: { DATABASE_REPLICA_URL?: string | undefined },
  deps: {
    findPosition: () => Promise<Position>;
    closing: ClosingStack;
    conditions: Conditions;
    postgresMetrics: PostgresMetrics;
    log: Log;
  },
): OpenReplica | undefined {
  if (url === undefined) return undefined;
  const { findPosition, closing, conditions, postgresMetrics, log } = deps;
  const open = (name: string, poolMax: number, queryTimeoutMs: number) =>
    closing.defer(
      `postgres standby (${name})`,
      openPostgres({
        url,
        poolMax,
        queryTimeoutMs,
        name: `${role}-standby-${name}`,
        metrics: postgresMetrics,
      }),
      abandonPostgres,
    );
  const replica = createReplica(open('checks', maxChecks, checkTimeoutMs), log);
  const watch = closing.defer('standby watch', watchReplica({ replica, findPosition, conditions }), (ours) =>
    ours.stop(),
  );
  return {
    breaker: replica.breaker,
    ping: replica.ping,
    reads: replica.reads,
    lagSeconds: watch.lagSeconds,
    openReadPool: (primary, { name, poolMax, queryTimeoutMs }) =>
      replica.createReadPool({ primary, standby: open(name, poolMax, queryTimeoutMs), findPosition }),
  };
}
