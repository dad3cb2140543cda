import type { ClickDetail } from './click-detail.ts';

/** Equal clicks on one short URL within one minute. */
export interface ClickCount {
  urlId: number;
  count: number;
  /** When the last of them was, in milliseconds since 1970. */
  lastAtMs: number;
  /** What they have in common; left out where only their number is known. */
  detail?: ClickDetail | undefined;
}

/** The clicks that a web process sends together. (producer, seq) is its identity for ever: however often and by whatever
 *  way it arrives, it is counted once. */
export interface Batch {
  /** UUID of version 7: it tells when the producer was born. */
  producer: string;
  /** 1, 2, 3, … without gaps within a producer. */
  seq: number;
  /** The clicks of all batches of the producer up to this one, which is what the ledger is checked against. */
  accepted: number;
  clicks: ClickCount[];
}

/** The clicks of these batches. */
export const countClicks = (batches: Batch[]) =>
  batches.reduce((sum, batch) => batch.clicks.reduce((count, click) => count + click.count, sum), 0);
