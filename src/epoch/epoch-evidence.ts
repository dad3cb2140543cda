import type { DatabaseEpoch } from './epoch-store.ts';

/** Age from which a version counts as durable when PostgreSQL does not reveal its write-ahead log position. */
const durableAfterMs = 10_000;

/** State of an epoch that PostgreSQL has on disk. */
export interface DurableState {
  epoch: string;
  version: number;
  walPosition: number | null;
}

/** Tracks the state that PostgreSQL certainly has on disk. A version that was just read may exist only in memory and
 *  be lost in a crash. A database that is behind the durable state was restored to an earlier state. `now` is in
 *  milliseconds. */
export function createEpochEvidence(now = () => performance.now()) {
  let durable: DurableState | undefined;
  let pending: { version: number; position: number | null; atMs: number } | undefined;

  /** Adds a reading and returns the durable state. */
  function record({ epoch, version, walPosition, versionPosition }: DatabaseEpoch): DurableState {
    if (durable?.epoch !== epoch) {
      durable = { epoch, version: 0, walPosition: null };
      pending = undefined;
    }
    if (walPosition !== null) durable.walPosition = Math.max(walPosition, durable.walPosition ?? 0);
    pending ??= { version, position: versionPosition, atMs: now() };
    const isOnDisk =
      pending.position === null
        ? now() - pending.atMs >= durableAfterMs
        : walPosition !== null && walPosition >= pending.position;
    if (isOnDisk) {
      durable.version = Math.max(durable.version, pending.version);
      pending = undefined;
    }
    return { ...durable };
  }

  return {
    record,

    /** The durable state; undefined before the first reading. */
    get durable(): DurableState | undefined {
      return durable;
    },
  };
}
