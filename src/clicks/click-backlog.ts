import type { Log } from '../log.ts';
import type { Batch } from './click-batch.ts';
import type { ClickStore } from './click-store.ts';

/** How often the backlog looks which batches PostgreSQL has. */
const confirmEveryMs = 1_000;
/** A producer that has nothing new to report says this often that it lives. */
const reportAnywayMs = 3_600_000;

/** Entries that one transaction takes, about. */
const applyEntries = 10_000;

/** A batch that PostgreSQL is not known to have. */
export interface Kept {
  batch: Batch;
  keptAt: number;
  /** When the backlog takes it to PostgreSQL by itself; both on the clock of performance.now(). */
  dueAt: number;
  /** Its entry in the stream, once Redis said that it has it. */
  entryId?: string;
}

export type ClickBacklog = ReturnType<typeof createClickBacklog>;

/** Keeps each batch of a producer until PostgreSQL has it, and takes there what is due, once a second. Beyond `maxEntries` the oldest batches
 *  that Redis has are left to it and the workers; what Redis has not is never let go. */
export function createClickBacklog(deps: {
  store: Pick<ClickStore, 'apply' | 'findApplied' | 'reportAccepted'>;
  /** Removes batches from the stream that PostgreSQL has. */
  acknowledge: (entryIds: string[]) => Promise<void>;
  /** Clicks that the producer has accepted so far. */
  readAccepted: () => number;
  /** Called once a round, when PostgreSQL is known to answer; may keep more, for the same round. */
  onAnswer: () => void;
  producer: string;
  maxEntries: number;
  log: Log;
}) {
  const { store, acknowledge, readAccepted, onAnswer, producer, maxEntries, log } = deps;
  /** Redis is not known to have these: they are on their way, or it did not take them. */
  const here = new Set<Kept>();
  /** Redis said that it has these. */
  const inRedis = new Set<Kept>();
  let entries = 0;
  let reported = { accepted: -1, atMs: -Infinity };
  let postgresAnswers = true;
  let confirming: Promise<void> | undefined;
  const timer = setInterval(() => void tryConfirm(performance.now()), confirmEveryMs);

  function forget(kept: Kept): void {
    if (here.delete(kept) || inRedis.delete(kept)) entries -= kept.batch.clicks.length;
  }

  async function forgetApplied(): Promise<void> {
    const all = [...here, ...inRedis];
    if (all.length === 0) return;
    const applied = new Set(
      await store.findApplied(
        producer,
        all.map(({ batch }) => batch.seq),
      ),
    );
    for (const kept of all) if (applied.has(kept.batch.seq)) forget(kept);
  }

  async function applyChunk(chunk: Kept[]): Promise<void> {
    await store.apply(chunk.map((kept) => kept.batch));
    chunk.forEach(forget);
    const entryIds = chunk.flatMap(({ entryId }) => entryId ?? []);
    if (entryIds.length === 0) return;
    // What stays in the stream is known to the ledger, and a worker's to remove.
    await acknowledge(entryIds).catch((error: unknown) =>
      log.debug({ err: error }, 'batches that were counted stay in the stream'),
    );
  }

  /** One round: forgets what PostgreSQL has, and takes there what is due at `now`. On failure everything stays for the next. */
  async function confirm(now: number): Promise<void> {
    await forgetApplied();
    onAnswer();
    let due = [...here, ...inRedis].filter((kept) => kept.dueAt <= now);
    while (due.length > 0) {
      const chunk = firstBatches(due, applyEntries);
      await applyChunk(chunk);
      due = due.slice(chunk.length);
    }
    const accepted = readAccepted();
    if (accepted === reported.accepted && now < reported.atMs + reportAnywayMs) return;
    await store.reportAccepted(producer, accepted);
    reported = { accepted, atMs: now };
  }

  async function tryConfirm(now: number): Promise<void> {
    confirming ??= confirm(now).finally(() => {
      confirming = undefined;
    });
    try {
      await confirming;
      if (!postgresAnswers) log.info('PostgreSQL takes clicks again');
      postgresAnswers = true;
    } catch (error) {
      if (postgresAnswers)
        log.warn({ err: error }, 'PostgreSQL takes no clicks: they wait in Redis or in memory');
      postgresAnswers = false;
    }
  }

  return {
    /** Keeps a batch; due after `afterMs`. */
    keep(batch: Batch, afterMs: number): Kept {
      const now = performance.now();
      const kept = { batch, keptAt: now, dueAt: now + afterMs };
      here.add(kept);
      entries += batch.clicks.length;
      return kept;
    },

    /** Redis has it. */
    markInRedis(kept: Kept, entryId: string): void {
      kept.entryId = entryId;
      if (!here.delete(kept)) return;
      inRedis.add(kept);
      for (const oldest of inRedis) {
        if (entries <= maxEntries) break;
        forget(oldest);
      }
    },

    /** Redis did not take it, or not in time: it is for the next round. */
    markDue(kept: Kept): void {
      kept.dueAt = 0;
    },

    /** Takes everything to PostgreSQL that it has not, or leaves it where it is while that is away. No round follows but
     *  those of further calls. */
    async close(): Promise<void> {
      clearInterval(timer);
      // The round in hand ends first: it knows nothing of the batches that have come since.
      await tryConfirm(-Infinity);
      await tryConfirm(Infinity);
    },

    /** Whether the last round succeeded. */
    get postgresAnswers() {
      return postgresAnswers;
    },

    /** Batches that Redis is not known to have. */
    notInRedis: (): Kept[] => [...here],

    /** Batches that PostgreSQL is not known to have. */
    get size() {
      return here.size + inRedis.size;
    },

    /** How long the oldest of them has been kept, in milliseconds. */
    get oldestMs(): number {
      const [first] = here;
      const [firstInRedis] = inRedis;
      const keptAt = Math.min(first?.keptAt ?? Infinity, firstInRedis?.keptAt ?? Infinity);
      return keptAt === Infinity ? 0 : performance.now() - keptAt;
    },
  };
}

/** The first batch, and as many more as have `entries` entries together. */
function firstBatches(due: Kept[], entries: number): Kept[] {
  let count = 0;
  const end = due.findIndex(({ batch }, i) => (count += batch.clicks.length) > entries && i > 0);
  return end === -1 ? [...due] : due.slice(0, end);
}
