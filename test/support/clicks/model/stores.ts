import type { Batch } from '../../../../src/clicks/click-batch.ts';
import type { ApplyResult, ClickStore } from '../../../../src/clicks/ledger/apply.ts';
import type { ClickStream } from '../../../../src/clicks/stream/stream.ts';

/** A point at which other processes may run, or the process may crash. */
export type Step = (where: string) => Promise<void>;

/** Redis with one shard, and the tables of the ledger. */
export interface Stores {
  urlIds: number[];
  stream: Pick<ClickStream, 'readPending' | 'delete' | 'length'> & {
    send: (batch: Batch) => Promise<string>;
  };
  apply: (batches: Batch[], step: Step) => Promise<ApplyResult>;
  findApplied: ClickStore['findApplied'];
  /** Clicks per short URL, in the order of `urlIds`. */
  readCounts: () => Promise<number[]>;
  /** Faults of Redis. */
  redis: Record<'loses everything' | 'is copied' | 'is rolled back to the copy', () => Promise<void>>;
}
