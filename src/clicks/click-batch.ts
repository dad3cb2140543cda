import type { ClickDetail } from './click-detail.ts';

/** Identical clicks on one short URL within one minute. */
export interface ClickCount {
  urlId: number;
  count: number;
  /** Time of the last click, in milliseconds since 1970. */
  lastAtMs: number;
  /** Shared details; undefined when only the count is known. */
  detail?: ClickDetail | undefined;
}

/** Clicks that a web process sends together. (producer, seq) identifies a batch permanently: each batch is counted
 *  once, however often and by whichever path it arrives. */
export interface Batch {
  /** UUID v7, so it contains the time at which the producer was created. */
  producer: string;
  /** Sequence number within the producer: 1, 2, 3, … without gaps. */
  seq: number;
  /** Running total of the producer's clicks up to and including this batch. The audit compares it with the ledger. */
  accepted: number;
  clicks: ClickCount[];
}

/** Returns the number of clicks in the batches. */
export const countClicks = (batches: Batch[]) =>
  batches.reduce((sum, batch) => batch.clicks.reduce((count, click) => count + click.count, sum), 0);

/** Whether a decoded number can be a count or an ID. */
export const isCount = (value: number) => Number.isSafeInteger(value) && value > 0;

/** Whether a decoded number is a time within the range of Date, in milliseconds since 1970. */
export const isTime = (value: number) => Number.isInteger(value) && value >= 0 && value <= 8.64e15;
