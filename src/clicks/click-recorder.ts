import { setTimeout as delay } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import type { Log } from '../log.ts';
import { type Batch, createOpenBatch } from './click-batch.ts';

/** Distinct entries at which a batch is sealed even while another is on its way: about 4 KiB. */
const maxDistinct = 200;
/** How often batches that Redis did not take go to PostgreSQL. */
const retryMs = 1_000;
/** Entries per transaction on that way, about. */
const applyEntries = 10_000;

export type ClickRecorder = ReturnType<typeof createClickRecorder>;

/** The web side of counting. Each click joins the open batch; a batch is sealed at the end of the turn of the event loop
 *  in which it was opened or, while one is on its way, when that one has arrived: alone a click waits for nothing, under
 *  load batches grow by themselves. What Redis did not take goes straight to PostgreSQL under the same identity. */
export function createClickRecorder(deps: {
  /** Hands a batch to Redis. */
  send: (batch: Batch) => Promise<void>;
  /** Counts batches in PostgreSQL. */
  apply: (batches: Batch[]) => Promise<unknown>;
  /** Longest time that `record` waits. */
  ackMs: number;
  log: Log;
}) {
  const { send, apply, ackMs, log } = deps;
  const producer = uuidv7();
  let seq = 0;
  let open: ReturnType<typeof openBatch> | undefined;
  /** On their way to Redis; settled ones leave by themselves. */
  const sending = new Set<Promise<void>>();
  /** Redis did not take these, or did not say so. */
  let unsent: Batch[] = [];
  let applying: Promise<void> | undefined;

  const retry = setInterval(() => void tryApply(), retryMs);

  function openBatch() {
    let resolve!: () => void;
    const settled = new Promise<void>((resolveSettled) => {
      resolve = resolveSettled;
    });
    const deadline = setTimeout(resolve, ackMs);
    const settle = () => {
      clearTimeout(deadline);
      resolve();
    };
    setImmediate(() => {
      if (sending.size === 0) seal();
    });
    return { growing: createOpenBatch(), settled, settle };
  }

  function seal(): void {
    if (!open) return;
    const { growing, settle } = open;
    open = undefined;
    seq += 1;
    const batch: Batch = { producer, seq, clicks: growing.clicks() };
    const arrival = send(batch)
      .catch((error: unknown) => {
        if (unsent.length === 0) log.warn({ err: error }, 'Redis takes no clicks: they go to PostgreSQL');
        unsent.push(batch);
      })
      .then(() => {
        settle();
        sending.delete(arrival);
        if (sending.size === 0) seal();
      });
    sending.add(arrival);
  }

  /** Counts in PostgreSQL what Redis did not take; on failure all of it stays for the next time. */
  function applyUnsent(): Promise<void> {
    applying ??= (async () => {
      while (unsent.length > 0) {
        const chunk = firstBatches(unsent, applyEntries);
        await apply(chunk);
        unsent = unsent.slice(chunk.length);
      }
    })().finally(() => {
      applying = undefined;
    });
    return applying;
  }

  async function tryApply(): Promise<void> {
    try {
      await applyUnsent();
    } catch (error) {
      log.warn({ err: error, batches: unsent.length }, 'clicks are waiting for PostgreSQL');
    }
  }

  return {
    producer,

    /** Counts one click, once. Resolves when Redis has it, or after `ackMs`: then it is on its way all the same. */
    async record(urlId: number, atMs: number): Promise<void> {
      open ??= openBatch();
      const { growing, settled } = open;
      growing.add(urlId, atMs);
      if (growing.distinct >= maxDistinct) seal();
      await settled;
    },

    /** Resolves when every recorded click is in Redis or PostgreSQL, however long that takes; record nothing afterwards. */
    async drain(): Promise<void> {
      seal();
      while (sending.size > 0) await Promise.all(sending);
      clearInterval(retry);
      await tryApply();
      while (unsent.length > 0) {
        await delay(retryMs);
        await tryApply();
      }
    },
  };
}

/** The first batch, and as many more as have `entries` entries together. */
function firstBatches(batches: Batch[], entries: number): Batch[] {
  let count = 0;
  const end = batches.findIndex((batch, i) => (count += batch.clicks.length) > entries && i > 0);
  return end === -1 ? [...batches] : batches.slice(0, end);
}
