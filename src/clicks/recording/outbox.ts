import type { Log } from '../../log.ts';
import { withDeadline } from '../../resilience/shutdown.ts';
import { type Batch, countClicks } from '../click-batch.ts';
import type { ClickStore } from '../ledger/apply.ts';

/** How often the backlog looks which batches PostgreSQL has. */
const confirmEveryMs = 1_000;
/** Batches younger than this are kept however many there are: Redis may yet lose them, and we are the only ones who know. */
const keepAtLeastMs = 5_000;
/** A round that takes longer has met a PostgreSQL that hangs. */
const hangingMs = 2_000;
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

/** Keeps each batch of a producer until PostgreSQL has it, and takes there what is due, once a second. Beyond `maxEntries`
 *  batches that Redis has had for some seconds are left to it and the workers; what Redis has not is never let go. */
export function createOutbox(deps: {
  store: Pick<
    ClickStore,
    'apply' | 'findApplied' | 'registerProducer' | 'registerProducerAgain' | 'reportAccepted'
  >;
  /** Removes batches from the stream that PostgreSQL has. */
  acknowledge: (entryIds: string[]) => Promise<void>;
  /** Clicks that the producer has accepted so far. */
  readAccepted: () => number;
  /** Called once a round, when PostgreSQL has taken what was due; may keep more, for the same round. */
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
  let confirmed = 0;
  let registered: 'never' | 'before' | 'now' = 'never';
  let reported = { accepted: 0, atMs: -Infinity };
  let postgresAnswers = true;
  let confirming: Promise<void> | undefined;
  let roundBeganAt = 0;
  const timer = setInterval(() => void tryConfirm(performance.now()), confirmEveryMs);

  function forget(kept: Kept): boolean {
    const wasKept = here.delete(kept) || inRedis.delete(kept);
    if (wasKept) entries -= kept.batch.clicks.length;
    return wasKept;
  }

  function confirmKept(kept: Kept): void {
    if (forget(kept)) confirmed += countClicks([kept.batch]);
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
    for (const kept of all) if (applied.has(kept.batch.seq)) confirmKept(kept);
  }

  async function applyChunk(chunk: Kept[]): Promise<void> {
    const { quarantined } = await store.apply(chunk.map((kept) => kept.batch));
    if (quarantined > 0)
      log.error(
        { producer, quarantined },
        'dead-lettered clicks: the ledger has removed this producer, or the database is in another epoch',
      );
    chunk.forEach(confirmKept);
    const entryIds = chunk.flatMap(({ entryId }) => entryId ?? []);
    if (entryIds.length === 0) return;
    // What stays in the stream is known to the ledger, and a worker's to remove.
    await acknowledge(entryIds).catch((error: unknown) =>
      log.debug({ err: error }, 'batches that were counted stay in the stream'),
    );
  }

  /** One round: forgets what PostgreSQL has, and takes there what is due at `now`. On failure everything stays for the next. */
  async function confirm(now: number): Promise<void> {
    if (registered === 'never') await store.registerProducer(producer);
    if (registered === 'before') await store.registerProducerAgain(producer);
    registered = 'now';
    await forgetApplied();
    await applyDue(now);
    // Not before PostgreSQL has taken what was due: otherwise each round would add a batch that it does not take.
    onAnswer();
    await applyDue(now);
    const accepted = readAccepted();
    if (accepted === reported.accepted && now < reported.atMs + reportAnywayMs) return;
    await store.reportAccepted(producer, accepted);
    reported = { accepted, atMs: now };
  }

  async function applyDue(now: number): Promise<void> {
    let due = [...here, ...inRedis].filter((kept) => kept.dueAt <= now);
    while (due.length > 0) {
      const chunk = firstBatches(due, applyEntries);
      await applyChunk(chunk);
      due = due.slice(chunk.length);
    }
  }

  async function tryConfirm(now: number): Promise<void> {
    if (!confirming) {
      roundBeganAt = performance.now();
      confirming = confirm(now).finally(() => {
        confirming = undefined;
      });
    }
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
      const now = performance.now();
      for (const oldest of inRedis) {
        if (entries <= maxEntries || now - oldest.keptAt < keepAtLeastMs) break;
        forget(oldest);
      }
    },

    /** The ledger may be an earlier one that lacks this producer: the next round reports everything again. */
    reportAgain(): void {
      if (registered === 'now') registered = 'before';
      reported = { ...reported, atMs: -Infinity };
    },

    /** Redis did not take it, or not in time: it is for the next round. */
    markDue(kept: Kept): void {
      kept.dueAt = 0;
    },

    /** Takes everything to PostgreSQL that it has not, or leaves it where it is when that takes longer than `patienceMs`. No
     *  round follows but those of further calls. */
    async close(patienceMs: number): Promise<void> {
      clearInterval(timer);
      const takeAll = async () => {
        // The round in hand ends first: it knows nothing of the batches that have come since.
        await tryConfirm(-Infinity);
        await tryConfirm(Infinity);
      };
      await withDeadline(takeAll(), patienceMs, () =>
        log.warn('PostgreSQL takes no clicks in time: they are left in Redis'),
      );
    },

    /** Whether the last round succeeded, and the one in hand does not hang. */
    get postgresAnswers() {
      const isHanging = confirming !== undefined && performance.now() - roundBeganAt > hangingMs;
      return postgresAnswers && !isHanging;
    },

    /** Batches that Redis is not known to have. */
    notInRedis: (): Kept[] => [...here],

    /** Batches that PostgreSQL is not known to have. */
    get size() {
      return here.size + inRedis.size;
    },

    /** Clicks in batches of which this process has learnt that PostgreSQL has them. */
    get confirmed() {
      return confirmed;
    },

    /** How long the oldest of them has been kept, in milliseconds. */
    get oldestMs(): number {
      const now = performance.now();
      return [...here, ...inRedis].reduce((oldest, { keptAt }) => Math.max(oldest, now - keptAt), 0);
    },
  };
}

/** The first batch, and as many more as have `entries` entries together. */
function firstBatches(due: Kept[], entries: number): Kept[] {
  let count = 0;
  const end = due.findIndex(({ batch }, i) => (count += batch.clicks.length) > entries && i > 0);
  return end === -1 ? [...due] : due.slice(0, end);
}
