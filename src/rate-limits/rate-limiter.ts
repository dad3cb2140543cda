import { setTimeout as delay } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import type { FixedWindowCounter } from './fixed-window.ts';

/** Most keys that a process tracks. */
const maxKeys = 10_000;
/** The shortest interval between two synchronizations of a key. */
const syncEveryMs = 20;

/** Whether a request is allowed, and what remains of the limit. */
export interface RateLimitResult {
  isAllowed: boolean;
  limit: number;
  remaining: number;
  /** Until the window ends and the whole limit is available again. */
  resetsInMs: number;
  windowMs: number;
}

/** The use of a key in its current window. */
interface Usage {
  /** By all processes, as of the last synchronization. */
  shared: number;
  /** By this process, not sent yet. */
  pending: number;
  /** By this process, sent and not confirmed. */
  inFlight: number;
  isSyncing: boolean;
  endsAtMs: number;
}

export type RateLimiter = ReturnType<typeof createRateLimiter>;

/** A limit of requests per window and key that all processes share, without delaying a request: each process decides by what it knows, and
 *  synchronizes its use at once or after `syncEveryMs`. Together they may therefore slightly exceed the limit. While Redis is unavailable,
 *  each process allows its share. */
export function createRateLimiter(options: {
  counts: Pick<FixedWindowCounter, 'add'>;
  /** Requests per window; 0 for no limit. */
  limit: number;
  windowMs: number;
  /** Processes that share the limit while each counts alone. */
  processes: number;
}) {
  const { counts, limit, windowMs, processes } = options;
  const share = Math.ceil(limit / processes);
  const usages = new LRUCache<string, Usage>({ max: maxKeys });
  let isShared = true;
  /** When the last window ends of those in which a process may have reached the limit. */
  let exhaustedUntil = -Infinity;
  let rejected = 0;

  function usageOf(key: string, now: number): Usage {
    const known = usages.get(key);
    if (known && known.endsAtMs > now) return known;
    const usage = { shared: 0, pending: 0, inFlight: 0, isSyncing: false, endsAtMs: now + windowMs };
    usages.set(key, usage);
    return usage;
  }

  /** Notes a use that `isExhausted` may report now, or once processes no longer share the limit. */
  function noteUse({ shared, inFlight, pending, endsAtMs }: Usage): void {
    if (shared + inFlight + pending >= share) exhaustedUntil = Math.max(exhaustedUntil, endsAtMs);
  }

  async function sync(key: string, usage: Usage): Promise<void> {
    usage.isSyncing = true;
    while (usage.pending > 0) {
      usage.inFlight = usage.pending;
      usage.pending = 0;
      const all = await counts.add(key, usage.inFlight);
      isShared = all.isShared;
      Object.assign(usage, { shared: all.count, inFlight: 0, endsAtMs: performance.now() + all.endsInMs });
      noteUse(usage);
      await delay(syncEveryMs, undefined, { ref: false });
    }
    usage.isSyncing = false;
  }

  return {
    /** The number of rejected requests. */
    get rejected(): number {
      return rejected;
    },

    /** Consumes `amount` of a key's limit, or nothing when less remains; undefined without a limit. An amount above the whole limit consumes
     *  all of it, of which `before` is consumed already. */
    consume(key: string, amount = 1, before = 0): RateLimitResult | undefined {
      if (limit === 0) return undefined;
      const now = performance.now();
      const usage = usageOf(key, now);
      const currentLimit = isShared ? limit : share;
      const used = usage.shared + usage.inFlight + usage.pending;
      const isAllowed = used + Math.min(amount, currentLimit - before) <= currentLimit;
      if (isAllowed) {
        usage.pending += amount;
        noteUse(usage);
        if (!usage.isSyncing) void sync(key, usage);
      } else rejected += 1;
      return {
        isAllowed,
        limit: currentLimit,
        remaining: Math.max(0, currentLimit - used - (isAllowed ? amount : 0)),
        resetsInMs: Math.round(usage.endsAtMs - now),
        windowMs,
      };
    },

    /** Whether there is a limit. */
    isLimiting: limit > 0,

    /** Whether `isExhausted` may be true for any key: callers save the costs of a key otherwise. */
    mayBeExhausted: (): boolean => limit > 0 && performance.now() < exhaustedUntil,

    /** Whether nothing remains of a key's limit. */
    isExhausted(key: string): boolean {
      if (limit === 0) return false;
      const usage = usages.peek(key);
      if (!usage || usage.endsAtMs <= performance.now()) return false;
      const { shared, inFlight, pending } = usage;
      return shared + inFlight + pending >= (isShared ? limit : share);
    },
  };
}
