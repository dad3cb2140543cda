import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../../log.ts';
import { createBreaker, StoreUnavailable } from '../../resilience/circuit-breaker.ts';
import {
  isLockTimeout,
  isPoolTimeout,
  isPostgresUnavailable,
  isStatementFailure,
  isStatementCanceled,
} from '../postgres/errors.ts';
import type { Knex } from '../postgres/postgres.ts';
import { compareReplay, type Position, type ReplayState } from './position.ts';
import type { ReadPool } from './read-pool.ts';

/** How long a read waits for the standby to replay what the primary had committed; then the primary serves it. */
const patienceMs = 200;
const pollMs = 10;
/** Longest time that a read waits for the standby to answer. */
const deadlineMs = 500;

/** The standby of this connection has not replayed the position. */
class ReplicaBehind extends Error {
  override readonly name = 'ReplicaBehind';
}

export type Replica = ReturnType<typeof createReplica>;

/** A standby that serves reads, with its circuit breaker. `checks` is a small pool of its own, so that long reads delay no check. */
export function createReplica(checks: Knex, log: Log) {
  const breaker = createBreaker({
    store: 'PostgreSQL standby',
    isUnavailable: (error) => error instanceof StoreUnavailable || isPostgresUnavailable(error),
    failures: 2,
    openMs: 1_000,
    deadlineMs,
    log,
  });
  const reads = { standby: 0, primary: 0 };

  /** Compares the standby with a position; rejects while it does not answer. */
  const compare = async (position: Position): Promise<ReplayState> =>
    await breaker.run(async () => await compareReplay(checks, position));

  /** Waits shortly until the standby has replayed a position. */
  async function hasReplayed(position: Position): Promise<boolean> {
    const end = performance.now() + patienceMs;
    try {
      for (;;) {
        const state = await compare(position);
        if (state !== 'behind' || performance.now() > end) return state === 'replayed';
        await delay(pollMs);
      }
    } catch {
      // The breaker logs it, and the watch of the standby reports it.
      return false;
    }
  }

  return {
    breaker,
    compare,
    ping: async (): Promise<unknown> => await checks.raw('select 1'),
    /** How many reads each server has served. */
    reads: (): Readonly<typeof reads> => reads,

    /** Reads from the standby if it has replayed what the primary had committed at the call, else from the primary. A read that the
     *  standby fails runs on the primary too, except one that took too long. `findPosition` reads the position of the primary. */
    createReadPool(pools: { primary: Knex; standby: Knex; findPosition: () => Promise<Position> }): ReadPool {
      return async (read) => {
        const position = await pools.findPosition().catch(unlessHidden);
        if (position && (await hasReplayed(position))) {
          try {
            const result = await read(pools.standby, async (trx) => {
              // Of several standbys, this may be another one.
              if ((await compareReplay(trx, position)) !== 'replayed') throw new ReplicaBehind();
              // The snapshot of "repeatable read" is that of the comparison, and may be older than what it found.
              await trx.raw('commit and chain');
            });
            reads.standby += 1;
            return result;
          } catch (error) {
            if (!isFailureOfServer(error)) throw error;
          }
        }
        reads.primary += 1;
        return await read(pools.primary, async () => undefined);
      };
    },
  };
}

/** Undefined where the primary does not reveal its position, as some hosting services do not. */
function unlessHidden(error: unknown): undefined {
  if (!isStatementFailure(error)) throw error;
}

/** Whether a read may succeed on another server: the standby is away, ends queries that delay its replay, or lacks a migration. */
const isFailureOfServer = (error: unknown): boolean =>
  error instanceof ReplicaBehind ||
  (isPostgresUnavailable(error) &&
    !isStatementCanceled(error) &&
    !isLockTimeout(error) &&
    !isPoolTimeout(error));
