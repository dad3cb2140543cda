import { setTimeout as delay } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import type { WindowCounts } from './fixed-window.ts';

/** Who has used something of a budget of theirs and is known to this process, at most. */
const maxKnown = 10_000;
/** How often all processes are told what one has used, at most. */
const tellEveryMs = 20;

/** Whether a request is within a budget, and what is left of that. */
export interface RateLimitResult {
  isWithin: boolean;
  limit: number;
  remaining: number;
  /** Until all of it is there again. */
  resetsInMs: number;
  /** Length of the window for which the limit holds. */
  windowMs: number;
}

/** What was used in the window that is open. */
interface Use {
  /** By all processes, as they were last told. */
  told: number;
  /** By this one, since. */
  untold: number;
  /** By this one, on its way to the others. */
  onItsWay: number;
  isTelling: boolean;
  endsAtMs: number;
}

export type Budgets = ReturnType<typeof createSharedBudgets>;

/** Budgets of requests per window of time, one for each key, that all processes share without that a request waits: each judges by
 *  what it knows, and what it lets through it tells the others, at once or `tellEveryMs` later, and hears what they did. So each may let
 *  through a little too much, as much as comes to it meanwhile. While Redis is away each gives out a share. */
export function createSharedBudgets(options: {
  counts: Pick<WindowCounts, 'add'>;
  /** Requests per window; 0 for no limit. */
  limit: number;
  windowMs: number;
  /** Processes that share a budget while each counts alone. */
  processes: number;
}) {
  const { counts, limit, windowMs, processes } = options;
  const share = Math.ceil(limit / processes);
  const uses = new LRUCache<string, Use>({ max: maxKnown });
  let isShared = true;
  let refused = 0;

  function useOf(key: string, now: number): Use {
    const known = uses.get(key);
    if (known && known.endsAtMs > now) return known;
    const use = { told: 0, untold: 0, onItsWay: 0, isTelling: false, endsAtMs: now + windowMs };
    uses.set(key, use);
    return use;
  }

  async function tell(key: string, use: Use): Promise<void> {
    use.isTelling = true;
    while (use.untold > 0) {
      use.onItsWay = use.untold;
      use.untold = 0;
      const all = await counts.add(key, use.onItsWay);
      isShared = all.isShared;
      Object.assign(use, { told: all.count, onItsWay: 0, endsAtMs: performance.now() + all.endsInMs });
      await delay(tellEveryMs, undefined, { ref: false });
    }
    use.isTelling = false;
  }

  return {
    /** Requests that were beyond a budget. */
    get refused(): number {
      return refused;
    },

    /** Takes so much from a key's budget, or nothing, where that much is not left; undefined where there is no limit. Of what is worth
     *  more than a whole budget, `before` was taken already. */
    take(key: string, amount = 1, before = 0): RateLimitResult | undefined {
      if (limit === 0) return undefined;
      const now = performance.now();
      const use = useOf(key, now);
      const limitNow = isShared ? limit : share;
      const used = use.told + use.onItsWay + use.untold;
      // What is more than a whole budget takes all of it.
      const isWithin = used + Math.min(amount, limitNow - before) <= limitNow;
      if (isWithin) {
        use.untold += amount;
        if (!use.isTelling) void tell(key, use);
      } else refused += 1;
      return {
        isWithin,
        limit: limitNow,
        remaining: Math.max(0, limitNow - used - (isWithin ? amount : 0)),
        resetsInMs: Math.round(use.endsAtMs - now),
        windowMs,
      };
    },

    /** Whether nothing is left of a key's budget. */
    isSpent(key: string): boolean {
      if (limit === 0) return false;
      const use = uses.peek(key);
      if (!use || use.endsAtMs <= performance.now()) return false;
      const { told, onItsWay, untold } = use;
      return told + onItsWay + untold >= (isShared ? limit : share);
    },
  };
}
