import type { DatabaseEpoch } from './epoch-store.ts';

/** How old a version must be to count where PostgreSQL does not tell its position in the write-ahead log. */
const certainMs = 10_000;

/** What PostgreSQL has on disk in an epoch. */
export interface Witness {
  epoch: string;
  version: number;
  walPosition: number | null;
}

/** What this process knows that PostgreSQL has on disk. A version that was read may still be in its memory alone, and be lost in a crash;
 *  a database that has less than what this returns was restored to an earlier state. `now` is in milliseconds. */
export function createEpochEvidence(now = () => performance.now()) {
  let certain: Witness | undefined;
  let pending: { version: number; position: number | null; atMs: number } | undefined;

  /** Adds what was read; returns what is certain then. */
  function note({ epoch, version, walPosition, versionPosition }: DatabaseEpoch): Witness {
    if (certain?.epoch !== epoch) {
      certain = { epoch, version: 0, walPosition: null };
      pending = undefined;
    }
    if (walPosition !== null) certain.walPosition = Math.max(walPosition, certain.walPosition ?? 0);
    pending ??= { version, position: versionPosition, atMs: now() };
    const isOnDisk =
      pending.position === null
        ? now() - pending.atMs >= certainMs
        : walPosition !== null && walPosition >= pending.position;
    if (isOnDisk) {
      certain.version = Math.max(certain.version, pending.version);
      pending = undefined;
    }
    return { ...certain };
  }

  return {
    note,

    /** What is certain; undefined before the first reading. */
    get certain(): Witness | undefined {
      return certain;
    },
  };
}
