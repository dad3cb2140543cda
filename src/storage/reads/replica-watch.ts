import { setTimeout as delay } from 'node:timers/promises';
import type { Conditions } from '../../resilience/conditions.ts';
import { createPoller } from '../../resilience/poller.ts';
import { describeFailure, isPostgresUnavailable, isStatementFailure } from '../postgres/errors.ts';
import type { Position } from './position.ts';
import type { Replica } from './replica.ts';

const checkEveryMs = 5_000;
const pollMs = 20;
/** A standby that is further behind is reported. */
const maxLagMs = 10_000;
/** Failures in a row that are reported: a single one is no outage. */
const minFailures = 2;

const foreign =
  'DATABASE_REPLICA_URL leads to a server that is no standby of this database (any more): all reads go to DATABASE_URL.';
const hidden =
  'PostgreSQL does not reveal the position of its write-ahead log, so that standbys cannot be compared: all reads go to DATABASE_URL.';
const behind = `The standby of DATABASE_REPLICA_URL is more than ${maxLagMs / 1_000} s behind: all reads go to DATABASE_URL.`;

export type ReplicaWatch = ReturnType<typeof watchReplica>;

/** Measures how far the standby is behind: the time until it has replayed what the primary had committed. Keeps the condition
 *  `replica_unusable` up to date. */
export function watchReplica({
  replica,
  findPosition,
  conditions,
}: {
  replica: Pick<Replica, 'compare'>;
  findPosition: () => Promise<Position>;
  conditions: Conditions;
}) {
  let lagMs: number | undefined;
  let isStopped = false;

  async function measure(): Promise<void> {
    const position = await findPosition().catch((error: unknown) => {
      // Otherwise nothing can be compared while the primary is away, which is a condition of its own.
      if (isStatementFailure(error)) conditions.set('replica_unusable', hidden);
    });
    if (!position) return;
    const startedAt = performance.now();
    for (;;) {
      const state = await replica.compare(position);
      const elapsedMs = performance.now() - startedAt;
      if (state !== 'behind') lagMs = state === 'replayed' ? elapsedMs : undefined;
      else lagMs = Math.max(lagMs ?? 0, elapsedMs);
      const isLate = state === 'behind' && elapsedMs > maxLagMs;
      if (state === 'behind' && !isLate && !isStopped) {
        await delay(pollMs);
        continue;
      }
      conditions.update('replica_unusable', state === 'foreign' ? foreign : isLate ? behind : undefined);
      return;
    }
  }

  function report(error: unknown, failures: number): void {
    lagMs = undefined;
    if (failures < minFailures) return;
    const cause = error instanceof Error && !isPostgresUnavailable(error) ? error.cause : error;
    conditions.set('replica_unusable', `The standby of DATABASE_REPLICA_URL: ${describeFailure(cause)}`);
  }

  const poller = createPoller({ everyMs: checkEveryMs, run: measure, onFailure: report });
  void poller.poll();
  return {
    /** How far the standby is behind, in seconds; null while it is unknown. */
    lagSeconds: (): number | null => (lagMs === undefined ? null : Math.round(lagMs) / 1_000),
    async stop(): Promise<void> {
      isStopped = true;
      await poller.stop();
    },
  };
}
