import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../../log.ts';
import { createProducerId } from '../batch-epochs.ts';
import { type ClickCount, countClicks } from '../click-batch.ts';
import type { ClickDetail } from '../click-detail.ts';
import type { ClickStore } from '../ledger/apply.ts';
import type { ClickStream } from '../stream/stream.ts';
import { createOpenBatch } from './open-batch.ts';
import { createOutbox, type Kept } from './outbox.ts';
import { createClickBreaker } from './redis-breaker.ts';

/** Distinct entries at which a batch is sealed even while another is on its way: 4 KiB, or 8 with details. */
const maxDistinct = 200;
/** How long a batch grows while the stream is long; no answer waits longer for it than the acknowledgement may take. */
const wideMs = 20;
/** How long draining waits for PostgreSQL at a time, and how often it tries again while both stores are away. */
const drainPatienceMs = 2_500;
const drainEveryMs = 1_000;
/** Entries of a batch at most, however much has grown together: what one transaction takes well. */
const maxSealed = 5_000;
/** How long a batch may wait for a worker, before the recorder takes it to PostgreSQL by itself. */
const overdueMs = 3_000;

export type ClickRecorder = ReturnType<typeof createClickRecorder>;

/** A batch that is open or on its way to Redis. */
interface Pending {
  growing: ReturnType<typeof createOpenBatch>;
  /** It grows for a while, because the stream is long. */
  isWide: boolean;
  /** What waits until Redis has it, or until nobody needs to wait any more. */
  waiting: (() => void)[];
  settle: () => void;
  /** What it was sealed as. */
  kept: Kept[];
}

/** The web side of counting. Each click joins the open batch; a batch is sealed at the end of the turn of the event loop
 *  in which it was opened or, while one is on its way, when that one has arrived: alone a click waits for nothing, under
 *  load batches grow by themselves. A batch is kept until PostgreSQL has it: what Redis did not take, or took and lost, goes
 *  straight to PostgreSQL under the same identity. Sending twice is free. While Redis takes nothing, one batch grows and goes
 *  to PostgreSQL once a second; while that is away too it goes on growing, up to `maxEntries`. */
export function createClickRecorder(deps: {
  stream: Pick<ClickStream, 'send' | 'acknowledge' | 'length' | 'shardOf'>;
  store: Pick<
    ClickStore,
    'apply' | 'findApplied' | 'registerProducer' | 'registerProducerAgain' | 'reportAccepted'
  >;
  /** Whether `record` waits until Redis has the click; otherwise the answer goes first. */
  waitsForAck: boolean;
  /** Longest time that `record` waits. */
  ackMs: number;
  /** Entries, of a short URL, a minute and a detail each, that wait in memory at most: in the batch that grows, and in those
   *  sent. */
  maxEntries: number;
  /** Batches in the stream beyond which clicks go straight to PostgreSQL, where that answers. */
  maxWaiting: number;
  /** The epoch of the database whose ids are recorded; undefined while it is not known. */
  epoch?: string | undefined;
  log: Log;
}) {
  const { stream, store, waitsForAck, ackMs, maxEntries, maxWaiting, epoch, log } = deps;
  const producer = createProducerId(epoch);
  const shard = stream.shardOf(producer);
  let seq = 0;
  /** Clicks of sealed batches. */
  let sealed = 0;
  /** Those of them whose answers have gone out. */
  let accepted = 0;
  let dropped = 0;
  let open: Pending | undefined;
  /** Open or on its way, and waited for. */
  const pending = new Set<Pending>();
  /** On their way to Redis; settled ones leave by themselves. */
  const sending = new Set<Promise<void>>();

  const backlog = createOutbox({
    store,
    acknowledge: (entryIds) => stream.acknowledge(shard, entryIds),
    readAccepted: () => accepted,
    // While PostgreSQL is away, what Redis does not take stays in the batch that grows.
    onAnswer: () => {
      if (!breaker.closed) seal();
    },
    producer,
    maxEntries,
    log,
  });
  const breaker = createClickBreaker({
    readWaiting: () => stream.length(shard),
    sendAgain,
    postgresAnswers: () => backlog.postgresAnswers,
    ackMs,
    maxWaiting,
    onOpen: () => pending.forEach(giveUp),
    onClose: seal,
    log,
  });

  function openBatch(): Pending {
    // What Redis has said by then is read first, however late this process is.
    const deadline = setTimeout(() => setImmediate(late), ackMs);
    const batch: Pending = {
      growing: createOpenBatch(maxEntries),
      isWide: breaker.isStreamLong,
      waiting: [],
      kept: [],
      settle: () => {
        clearTimeout(deadline);
        pending.delete(batch);
        for (const answer of batch.waiting.splice(0)) answer();
      },
    };
    function late() {
      if (pending.has(batch)) breaker.open(new Error(`Redis did not take a batch within ${ackMs} ms`));
    }
    pending.add(batch);
    if (!breaker.closed) batch.settle();
    else if (batch.isWide) setTimeout(() => open === batch && seal(), Math.min(wideMs, ackMs / 2));
    else setImmediate(() => open === batch && sending.size === 0 && seal());
    return batch;
  }

  /** Gives the open batch its identity, or several where it has grown large, and sends it on its way. */
  function seal(): void {
    if (!open) return;
    const sealing = open;
    open = undefined;
    const { growing } = sealing;
    dropped += growing.dropped;
    sealed += growing.dropped;
    const entries = growing.entries();
    for (let i = 0; i < entries.length; i += maxSealed)
      sealing.kept.push(keep(entries.slice(i, i + maxSealed)));
    if (breaker.closed) send(sealing);
    else giveUp(sealing);
  }

  function keep(clicks: ClickCount[]): Kept {
    seq += 1;
    sealed += clicks.reduce((sum, click) => sum + click.count, 0);
    return backlog.keep({ producer, seq, accepted: sealed, clicks }, overdueMs);
  }

  function send(batch: Pending): void {
    const arrival = Promise.all(
      batch.kept.map(async (kept) => backlog.markInRedis(kept, await stream.send(kept.batch))),
    )
      .then(breaker.onTaken, (error: unknown) => {
        breaker.open(error);
        giveUp(batch);
      })
      .then(() => {
        sending.delete(arrival);
        accept(batch);
        batch.settle();
        sealSoon();
      });
    sending.add(arrival);
  }

  /** Seals what has grown while a batch was on its way, with what this turn of the event loop adds to it. */
  function sealSoon(): void {
    setImmediate(() => {
      if (sending.size === 0 && breaker.closed && open && !open.isWide) seal();
    });
  }

  /** Nobody waits for Redis to take this one any more: PostgreSQL gets it in the next round. */
  function giveUp(batch: Pending): void {
    batch.kept.forEach(backlog.markDue);
    accept(batch);
    batch.settle();
  }

  function accept({ kept }: Pending): void {
    accepted = Math.max(accepted, kept.at(-1)?.batch.accepted ?? 0);
  }

  /** Gives Redis what it did not take before, up to the first batch that it does not take now. */
  async function sendAgain(): Promise<void> {
    for (const kept of backlog.notInRedis()) backlog.markInRedis(kept, await stream.send(kept.batch));
  }

  function warnOfLoss(error: unknown): void {
    const clicks = countClicks(backlog.notInRedis().map(({ batch }) => batch));
    log.warn({ err: error, clicks }, 'neither store takes these clicks: they are lost if this process ends');
  }

  /** Counts one click, once, with what is known of it. Calls `answer` when Redis has it, or after `ackMs`: then it is on its
   *  way all the same. */
  function recordThen(urlId: number, atMs: number, answer: () => void, detail?: ClickDetail): void {
    open ??= openBatch();
    const { growing, waiting } = open;
    growing.add(urlId, atMs, detail);
    if (waitsForAck && pending.has(open)) waiting.push(answer);
    else answer();
    if (breaker.closed && growing.distinct >= maxDistinct) seal();
  }

  return {
    producer,

    recordThen,

    /** As recordThen, with a promise, which takes longer to make than the click to record. */
    async record(urlId: number, atMs: number, detail?: ClickDetail): Promise<void> {
      await new Promise<void>((resolve) => {
        recordThen(urlId, atMs, resolve, detail);
      });
    },

    /** Tells the ledger again what this producer has accepted: it may have been restored. */
    reportAgain: backlog.reportAgain,

    /** What it has in hand, for those who watch it. */
    read: () => ({
      /** Clicks recorded since the process began. */
      recorded: sealed + (open ? open.growing.clicks + open.growing.dropped : 0),
      /** Those of them for which there was no room while both stores were away: they will never be counted. */
      dropped: dropped + (open?.growing.dropped ?? 0),
      /** Those of them of which this process has learnt that PostgreSQL has them. */
      confirmed: backlog.confirmed,
      /** Batches that PostgreSQL is not known to have, the one that grows included. */
      unconfirmed: backlog.size + (open ? 1 : 0),
      /** How long the oldest sealed one has been in hand. */
      oldestMs: backlog.oldestMs,
      /** Whether clicks go to Redis now. */
      toRedis: breaker.closed,
    }),

    /** Resolves when every recorded click is in PostgreSQL or, while that is away, in Redis, however long that takes;
     *  record nothing afterwards. */
    async drain(): Promise<void> {
      breaker.stop();
      seal();
      while (sending.size > 0) await Promise.all(sending);
      for (;;) {
        // Redis first: a PostgreSQL that hangs would take the time in which it could have them.
        const refusal: unknown = await sendAgain().catch((error: unknown) => error);
        await backlog.close(drainPatienceMs);
        if (backlog.notInRedis().length === 0) return;
        warnOfLoss(refusal);
        await delay(drainEveryMs);
      }
    },
  };
}
