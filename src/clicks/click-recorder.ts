import { setTimeout as delay } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import type { Log } from '../log.ts';
import { type Batch, createOpenBatch } from './click-batch.ts';

/** Distinct entries at which a batch is sealed even while another is on its way: about 4 KiB. */
const maxDistinct = 200;
/** How often the recorder looks which batches PostgreSQL has. */
const confirmEveryMs = 1_000;
/** How long a batch may wait for a worker, before the recorder takes it to PostgreSQL by itself. */
const overdueMs = 5_000;
/** The time after which a batch is overdue that Redis did not take. */
const notInRedis = 0;
/** Batches in Redis that are watched for their arrival in PostgreSQL at most: while it is away, Redis keeps them. */
const maxWatched = 20_000;
/** Entries per transaction on that way, about. */
const applyEntries = 10_000;

export type ClickRecorder = ReturnType<typeof createClickRecorder>;

/** The web side of counting. Each click joins the open batch; a batch is sealed at the end of the turn of the event loop
 *  in which it was opened or, while one is on its way, when that one has arrived: alone a click waits for nothing, under
 *  load batches grow by themselves. A batch is kept until PostgreSQL has it: what Redis did not take, or took and lost, goes
 *  straight to PostgreSQL under the same identity. Sending twice is free. */
export function createClickRecorder(deps: {
  /** Hands a batch to Redis. */
  send: (batch: Batch) => Promise<void>;
  /** Counts batches in PostgreSQL. */
  apply: (batches: Batch[]) => Promise<unknown>;
  /** Which of these batches of a producer PostgreSQL has. */
  findApplied: (producer: string, seqs: number[]) => Promise<number[]>;
  /** Longest time that `record` waits. */
  ackMs: number;
  log: Log;
}) {
  const { send, apply, findApplied, ackMs, log } = deps;
  const producer = uuidv7();
  let seq = 0;
  let open: ReturnType<typeof openBatch> | undefined;
  /** On their way to Redis; settled ones leave by themselves. */
  const sending = new Set<Promise<void>>();
  /** Sealed, and not known to be in PostgreSQL; with the time after which we take them there ourselves. */
  const unconfirmed = new Map<Batch, number>();
  let redisTakesClicks = true;
  let confirming: Promise<void> | undefined;

  const timer = setInterval(() => void tryConfirm(), confirmEveryMs);

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
    watch(batch, performance.now() + overdueMs);
    const arrival = send(batch)
      .then(
        () => {
          redisTakesClicks = true;
        },
        (error: unknown) => {
          if (redisTakesClicks) log.warn({ err: error }, 'Redis takes no clicks: they go to PostgreSQL');
          redisTakesClicks = false;
          unconfirmed.set(batch, notInRedis);
        },
      )
      .then(() => {
        settle();
        sending.delete(arrival);
        if (sending.size === 0) seal();
      });
    sending.add(arrival);
  }

  /** Keeps a batch; beyond the bound the oldest that Redis has is left to it. */
  function watch(batch: Batch, overdueAt: number): void {
    unconfirmed.set(batch, overdueAt);
    if (unconfirmed.size <= maxWatched) return;
    const [oldest, oldestOverdueAt] = unconfirmed.entries().next().value!;
    if (oldestOverdueAt !== notInRedis) unconfirmed.delete(oldest);
  }

  /** Forgets what PostgreSQL has, and takes there what is overdue at `now`; on failure all of that stays for the next time. */
  async function confirm(now: number): Promise<void> {
    const batches = [...unconfirmed.keys()];
    if (batches.length === 0) return;
    const applied = new Set(
      await findApplied(
        producer,
        batches.map((batch) => batch.seq),
      ),
    );
    for (const batch of batches) if (applied.has(batch.seq)) unconfirmed.delete(batch);
    let overdue = [...unconfirmed].flatMap(([batch, overdueAt]) => (overdueAt <= now ? batch : []));
    while (overdue.length > 0) {
      const chunk = firstBatches(overdue, applyEntries);
      await apply(chunk);
      for (const batch of chunk) unconfirmed.delete(batch);
      overdue = overdue.slice(chunk.length);
    }
  }

  async function tryConfirm(now = performance.now()): Promise<void> {
    confirming ??= confirm(now).finally(() => {
      confirming = undefined;
    });
    try {
      await confirming;
    } catch (error) {
      log.warn({ err: error, batches: unconfirmed.size }, 'clicks are waiting for PostgreSQL');
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

    /** Resolves when every recorded click is in PostgreSQL or, while that is away, in Redis, however long that takes;
     *  record nothing afterwards. */
    async drain(): Promise<void> {
      seal();
      while (sending.size > 0) await Promise.all(sending);
      clearInterval(timer);
      // The round in hand ends first: it knows nothing of the batches that have come since.
      await tryConfirm();
      await tryConfirm(Infinity);
      while ([...unconfirmed.values()].includes(notInRedis)) {
        await delay(confirmEveryMs);
        await tryConfirm(Infinity);
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
