import type { Log } from '../../log.ts';
import { repeatedWarningsOf } from '../../resilience/repeated-warnings.ts';
import { withDeadline } from '../../resilience/shutdown.ts';
import type { ClickStore } from '../ledger/apply.ts';
import { createUnconfirmedBatches, readBatch, type UnconfirmedBatch } from './unconfirmed-batches.ts';

/** How often the outbox checks which batches are in PostgreSQL. */
const confirmIntervalMs = 1_000;
/** A longer round means that PostgreSQL hangs. */
const hangingMs = 2_000;
/** How often a producer without new clicks reports to the ledger, as a sign of life. */
const reportIntervalMs = 3_600_000;

const sourceName = 'clicks to PostgreSQL';

/** Approximate number of entries per transaction. */
const applyEntries = 10_000;

export type Outbox = ReturnType<typeof createOutbox>;

/** Keeps each batch of a producer until PostgreSQL has it, and writes due batches to PostgreSQL once a second. */
export function createOutbox(deps: {
  store: Pick<
    ClickStore,
    'apply' | 'findApplied' | 'registerProducer' | 'registerProducerAgain' | 'reportAccepted'
  >;
  /** Deletes stream entries whose clicks are in PostgreSQL. */
  deleteEntries: (entryIds: string[]) => Promise<void>;
  /** Returns the number of clicks that the producer has accepted so far. */
  readAccepted: () => number;
  /** Called once per round after the due batches are written; may add more batches to the same round. */
  onDueWritten: () => void;
  producer: string;
  shard: number;
  maxEntries: number;
  /** How long confirmed batches are kept, in milliseconds. */
  keepMs: number;
  log: Log;
}) {
  const { store, deleteEntries, readAccepted, onDueWritten, producer, shard, maxEntries, keepMs, log } = deps;
  const batches = createUnconfirmedBatches(maxEntries, keepMs);
  /** `again`: the ledger was restored and may lack this producer. */
  let registration: 'first' | 'again' | 'done' = 'first';
  let reported = { accepted: 0, atMs: -Infinity };
  let lastRoundSucceeded = true;
  const warnings = repeatedWarningsOf(log);
  let round: Promise<void> | undefined;
  let roundStartedAt = 0;
  const timer = setInterval(() => void runRound(performance.now()), confirmIntervalMs);

  async function confirmApplied(): Promise<void> {
    const all = batches.all();
    if (all.length === 0) return;
    const applied = new Set(
      await store.findApplied(
        producer,
        all.map(({ seq }) => seq),
      ),
    );
    for (const item of all) if (applied.has(item.seq)) batches.confirm(item);
  }

  async function applyChunk(chunk: UnconfirmedBatch[]): Promise<void> {
    const { deadLetters } = await store.apply(chunk.map(readBatch));
    if (deadLetters > 0)
      log.error(
        { producer, deadLetters },
        'dead-lettered clicks: the ledger has removed this producer, or the database is in another epoch',
      );
    chunk.forEach(batches.confirm);
    const entryIds = chunk.flatMap(({ entryId }) => entryId ?? []);
    if (entryIds.length === 0) return;
    // A worker deletes remaining entries; the ledger recognizes them as duplicates.
    await deleteEntries(entryIds).catch((error: unknown) =>
      log.debug({ err: error }, 'failed to delete counted batches from the stream'),
    );
  }

  /** Removes confirmed batches and writes those that are due at `now`. On failure everything stays for the next round. */
  async function confirmAndWrite(now: number): Promise<void> {
    if (registration === 'first') await store.registerProducer(producer);
    if (registration === 'again') await store.registerProducerAgain(producer);
    registration = 'done';
    await confirmApplied();
    await writeDue(now);
    // Only after PostgreSQL has stored the due batches: otherwise each round would add a batch that it rejects.
    onDueWritten();
    await writeDue(now);
    const accepted = readAccepted();
    if (accepted === reported.accepted && now < reported.atMs + reportIntervalMs) return;
    await store.reportAccepted(producer, accepted);
    reported = { accepted, atMs: now };
  }

  async function writeDue(now: number): Promise<void> {
    let due = batches.all().filter(({ dueAt }) => dueAt <= now);
    while (due.length > 0) {
      const chunk = takeChunk(due, applyEntries);
      await applyChunk(chunk);
      due = due.slice(chunk.length);
    }
  }

  async function runRound(now: number): Promise<void> {
    if (!round) {
      roundStartedAt = performance.now();
      round = confirmAndWrite(now).finally(() => {
        round = undefined;
      });
    }
    try {
      await round;
      warnings.end(sourceName, {}, 'resumed writing clicks to PostgreSQL', shard);
      lastRoundSucceeded = true;
    } catch (error) {
      warnings.warn(
        sourceName,
        { err: error },
        'failed to write clicks to PostgreSQL, keeping them in Redis and memory',
        shard,
      );
      lastRoundSucceeded = false;
    }
  }

  return {
    add: batches.add,
    markInRedis: batches.markInRedis,
    notInRedis: batches.notInRedis,

    /** Makes the next round report everything again, and write the batches of the last `keepMs` that are missing: the ledger of a restored
     *  database or of a promoted standby may lack them, and this producer. */
    reportAgain(): void {
      batches.doubtConfirmed();
      if (registration === 'done') registration = 'again';
      reported = { ...reported, atMs: -Infinity };
    },

    /** Makes a batch due that Redis rejected or did not store in time. */
    markDue(item: UnconfirmedBatch): void {
      item.dueAt = 0;
    },

    /** Writes all batches to PostgreSQL, or leaves them where they are after `timeoutMs`. Ends the regular rounds. */
    async close(timeoutMs: number): Promise<void> {
      clearInterval(timer);
      const writeAll = async () => {
        // Wait for a round in progress, which does not include the latest batches.
        await runRound(-Infinity);
        await runRound(Infinity);
      };
      await withDeadline(writeAll(), timeoutMs, () =>
        warnings.warn(
          'last clicks to PostgreSQL',
          {},
          'timed out writing clicks to PostgreSQL, leaving them in Redis',
        ),
      );
    },

    /** Whether the last round succeeded and the current one does not hang. */
    get isPostgresAvailable() {
      const isHanging = round !== undefined && performance.now() - roundStartedAt > hangingMs;
      return lastRoundSucceeded && !isHanging;
    },

    /** Number of batches that are not confirmed to be in PostgreSQL. */
    get size() {
      return batches.size;
    },

    /** Number of clicks that are confirmed to be in PostgreSQL. */
    get confirmed() {
      return batches.confirmed;
    },

    /** Age of the oldest unconfirmed batch, in milliseconds. */
    get oldestMs(): number {
      const now = performance.now();
      return batches.all().reduce((oldest, { addedAt }) => Math.max(oldest, now - addedAt), 0);
    },
  };
}

/** Returns the first batches with up to `entries` entries in total, and at least one batch. */
function takeChunk(due: UnconfirmedBatch[], entries: number): UnconfirmedBatch[] {
  let count = 0;
  const end = due.findIndex((item, i) => (count += item.entries) > entries && i > 0);
  return end === -1 ? [...due] : due.slice(0, end);
}
