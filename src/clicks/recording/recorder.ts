import type { Log } from '../../log.ts';
import type { ClickCount } from '../click-batch.ts';
import type { ClickDetail } from '../click-detail.ts';
import type { ClickStore } from '../ledger/apply.ts';
import type { ClickStream } from '../stream/stream.ts';
import { drainOutbox } from './drain.ts';
import { createOutbox } from './outbox.ts';
import { createPendingBatch, type PendingBatch } from './pending-batch.ts';
import { createRedisBreaker } from './redis-breaker.ts';
import type { UnconfirmedBatch } from './unconfirmed-batches.ts';

/** Number of entries at which a batch is sealed even while another one is in transit: 1 KiB, or 4 KiB with details. */
const sealAtEntries = 200;
/** How long a batch lingers while the stream is long; capped at half of `ackMs`. */
const lingerMs = 20;
/** Maximum number of entries per sealed batch: a reasonable size for one transaction. */
const maxSealedEntries = 5_000;
/** How long a batch waits for a worker before the recorder writes it to PostgreSQL itself. */
const overdueMs = 3_000;

export type ClickRecorder = Omit<ReturnType<typeof createClickRecorder>, 'producer'>;

/** Records clicks of a web process in one shard. Each click joins the open batch. A batch is sealed at the end of the event loop turn that
 *  opened it or, while another batch is in transit, when that one has arrived: a single click waits for nothing, and batches
 *  grow under load. The outbox keeps a batch until PostgreSQL has it: what Redis rejects or loses goes to PostgreSQL under
 *  the same identity, and duplicates are harmless. While Redis rejects clicks, one batch grows and goes to PostgreSQL once a
 *  second; while PostgreSQL is unavailable too, it keeps growing up to `maxEntries`. */
export function createClickRecorder(deps: {
  stream: Pick<ClickStream, 'send' | 'delete' | 'length' | 'createProducer'>;
  store: Pick<
    ClickStore,
    'apply' | 'findApplied' | 'registerProducer' | 'registerProducerAgain' | 'reportAccepted'
  >;
  /** Whether `record` waits until Redis has the click; otherwise it does not wait. */
  waitsForAck: boolean;
  /** Maximum time that `record` waits. */
  ackMs: number;
  /** Maximum number of entries (one per short URL, minute and detail) in memory: in the open batch, and in the outbox. */
  maxEntries: number;
  /** How long batches are kept after PostgreSQL has them, in milliseconds. */
  keepMs: number;
  /** Length of the stream from which clicks go to PostgreSQL directly, if it is available. */
  maxWaiting: number;
  /** Epoch of the database in which the short URL IDs were read; undefined while unknown. */
  epoch?: string | undefined;
  /** Where workers find the batches. */
  shard?: number;
  log: Log;
}) {
  const { stream, store, waitsForAck, ackMs, maxEntries, keepMs, maxWaiting, epoch, shard = 0, log } = deps;
  const producer = stream.createProducer(shard, epoch);
  let seq = 0;
  /** Clicks in sealed batches. */
  let sealedClicks = 0;
  /** Clicks in sealed batches whose requests are answered. */
  let accepted = 0;
  let dropped = 0;
  let open: PendingBatch | undefined;
  /** Batches that requests wait for. */
  const pending = new Set<PendingBatch>();
  /** Batches in transit to Redis. */
  const sending = new Set<Promise<void>>();

  const outbox = createOutbox({
    store,
    deleteEntries: (entryIds) => stream.delete(shard, entryIds),
    readAccepted: () => accepted,
    // While PostgreSQL is unavailable, clicks that Redis rejects stay in the open batch.
    onDueWritten: () => {
      if (!breaker.closed) seal();
    },
    producer,
    shard,
    maxEntries,
    keepMs,
    log,
  });
  const breaker = createRedisBreaker({
    readWaiting: () => stream.length(shard),
    resend,
    isPostgresAvailable: () => outbox.isPostgresAvailable,
    ackMs,
    maxWaiting,
    onOpen: () => pending.forEach(routeToPostgres),
    onClose: seal,
    shard,
    log,
  });

  function openBatch(): PendingBatch {
    const batch = createPendingBatch({
      maxEntries,
      isLingering: breaker.isStreamLong,
      ackMs,
      onDeadline: () => breaker.open(new Error(`Redis did not store a batch within ${ackMs} ms`)),
      onSettle: () => pending.delete(batch),
    });
    pending.add(batch);
    if (!breaker.closed) batch.settle();
    else if (batch.isLingering) setTimeout(() => open === batch && seal(), Math.min(lingerMs, ackMs / 2));
    else setImmediate(() => open === batch && sending.size === 0 && seal());
    return batch;
  }

  /** Seals the open batch, in several parts if it is large, and sends it. */
  function seal(): void {
    if (!open) return;
    const batch = open;
    open = undefined;
    dropped += batch.content.dropped;
    sealedClicks += batch.content.dropped;
    const entries = batch.content.entries();
    for (let i = 0; i < entries.length; i += maxSealedEntries)
      batch.sealed.push(addToOutbox(entries.slice(i, i + maxSealedEntries)));
    if (breaker.closed) send(batch);
    else routeToPostgres(batch);
  }

  function addToOutbox(clicks: ClickCount[]): UnconfirmedBatch {
    seq += 1;
    sealedClicks += clicks.reduce((sum, click) => sum + click.count, 0);
    return outbox.add({ producer, seq, accepted: sealedClicks, clicks }, overdueMs);
  }

  function send(batch: PendingBatch): void {
    const arrival = Promise.all(
      batch.sealed.map(async (item) => outbox.markInRedis(item, await stream.send(item))),
    )
      .then(breaker.onStored, (error: unknown) => {
        breaker.open(error);
        routeToPostgres(batch);
      })
      .then(() => {
        sending.delete(arrival);
        accept(batch);
        batch.settle();
        sealSoon();
      });
    sending.add(arrival);
  }

  /** Seals the clicks that arrived while a batch was in transit, at the end of this event loop turn. */
  function sealSoon(): void {
    setImmediate(() => {
      if (sending.size === 0 && breaker.closed && open && !open.isLingering) seal();
    });
  }

  /** Stops waiting for Redis: the next round of the outbox writes the batch to PostgreSQL. */
  function routeToPostgres(batch: PendingBatch): void {
    batch.sealed.forEach(outbox.markDue);
    accept(batch);
    batch.settle();
  }

  function accept({ sealed }: PendingBatch): void {
    accepted = Math.max(accepted, sealed.at(-1)?.accepted ?? 0);
  }

  /** Sends the batches that Redis does not have, up to the first one that it rejects. */
  async function resend(): Promise<void> {
    for (const item of outbox.notInRedis()) outbox.markInRedis(item, await stream.send(item));
  }

  /** Records a click exactly once. Calls `onRecorded` when Redis has it, or after `ackMs`; the click is counted in both cases. */
  function recordThen(urlId: number, atMs: number, onRecorded: () => void, detail?: ClickDetail): void {
    open ??= openBatch();
    const { content } = open;
    content.add(urlId, atMs, detail);
    if (waitsForAck) open.whenSettled(onRecorded);
    else onRecorded();
    if (breaker.closed && content.size >= sealAtEntries) seal();
  }

  return {
    producer,

    recordThen,

    /** Like `recordThen`, with a promise. Creating the promise takes longer than recording the click. */
    async record(urlId: number, atMs: number, detail?: ClickDetail): Promise<void> {
      await new Promise<void>((resolve) => {
        recordThen(urlId, atMs, resolve, detail);
      });
    },

    /** Reports to the ledger again what it may lack: the database was restored, or a standby was promoted. */
    reportAgain: outbox.reportAgain,

    /** Returns counts for metrics and health checks. */
    read: () => ({
      /** Clicks recorded since the process began. */
      recorded: sealedClicks + (open ? open.content.clicks + open.content.dropped : 0),
      /** Clicks dropped because both stores were unavailable and memory was full; they are never counted. */
      dropped: dropped + (open?.content.dropped ?? 0),
      /** Clicks that are confirmed to be in PostgreSQL. */
      confirmed: outbox.confirmed,
      /** Batches that are not confirmed to be in PostgreSQL, including the open one. */
      unconfirmed: outbox.size + (open ? 1 : 0),
      /** Age of the oldest sealed batch, in milliseconds. */
      oldestMs: outbox.oldestMs,
      /** Whether clicks go to Redis now. */
      usesRedis: breaker.closed,
    }),

    /** Resolves when each recorded click is in PostgreSQL or, while that is unavailable, in Redis; waits without a limit.
     *  The caller must not record clicks afterwards. */
    async drain(): Promise<void> {
      breaker.stop();
      seal();
      while (sending.size > 0) await Promise.all(sending);
      await drainOutbox(outbox, resend, log);
    },
  };
}
