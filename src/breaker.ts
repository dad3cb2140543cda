import { circuitBreaker, CircuitState, handleWhen, type IBreaker, isBrokenCircuitError } from 'cockatiel';
import { withDeadline } from './lifecycle.ts';
import type { Log } from './log.ts';

/** Failures so close together are one: look-ups that travelled together fail together. */
const momentMs = 50;

export type StoreName = 'PostgreSQL' | 'Redis';

/** A store did not answer in time. */
export class StoreAway extends Error {
  override readonly name: string = 'StoreAway';
  readonly store: StoreName;

  constructor(store: StoreName, message: string, options?: ErrorOptions) {
    super(message, options);
    this.store = store;
  }
}

/** A store was not asked, because it failed to answer a moment ago; `cause` says how. */
export class StoreNotAsked extends StoreAway {
  override readonly name = 'StoreNotAsked';
}

export type Breaker = ReturnType<typeof createBreaker>;

/** Keeps calls away from a store that is away or hangs: after some failures in a row each call fails at once with
 *  StoreNotAsked, but for one every `openMs` that is let through and, when the store answers it, closes the circuit again. */
export function createBreaker(options: {
  store: StoreName;
  /** Whether an error says that the store cannot answer; a refusal is an answer. */
  isUnavailable: (error: unknown) => boolean;
  /** Failures in a row that open the circuit. */
  failures: number;
  openMs: number;
  /** How long a call may take, where the store's client does not see to that by itself; then it fails with StoreAway. */
  deadlineMs?: number;
  log: Log;
}) {
  const { store, isUnavailable, failures, openMs, deadlineMs, log } = options;
  const count = createFailureCount(failures);
  const policy = circuitBreaker(handleWhen(isUnavailable), {
    breaker: count,
    halfOpenAfter: createPause(openMs),
  });
  let hasWarned = false;
  policy.onBreak((reason) => {
    const error = 'error' in reason ? reason.error : undefined;
    if (!hasWarned) log.warn({ err: error, store }, 'the store does not answer: it is left alone');
    hasWarned = true;
  });
  policy.onReset(() => {
    hasWarned = false;
    log.info({ store }, 'the store answers again');
  });

  function refuse(): never {
    const reason = policy.lastFailure;
    const cause = reason && 'error' in reason ? reason.error : undefined;
    throw new StoreNotAsked(store, `${store} did not answer a moment ago`, { cause });
  }

  /** What a call gives, or throws; throws StoreNotAsked, at once, while the circuit is open. */
  async function run<T>(call: () => Promise<T>): Promise<T> {
    // While one call is let through, cockatiel would have the others wait for how it ends.
    if (policy.state === CircuitState.HalfOpen) refuse();
    try {
      return await policy.execute(deadlineMs === undefined ? call : () => inTime(call, deadlineMs));
    } catch (error) {
      if (isBrokenCircuitError(error)) refuse();
      // A refusal is an answer, which cockatiel does not count as one.
      if (!isUnavailable(error)) count.success();
      throw error;
    }
  }

  async function inTime<T>(call: () => Promise<T>, ms: number): Promise<T> {
    return await withDeadline(call(), ms, () => {
      throw new StoreAway(store, `${store} did not answer within ${ms} ms`);
    });
  }

  return {
    run,

    /** The same functions, each call of which goes through the circuit. */
    guard<Calls extends Record<string, (...args: never[]) => Promise<unknown>>>(calls: Calls): Calls {
      const guarded = Object.entries(calls).map(([name, call]) => [
        name,
        (...args: never[]) => run(() => call(...args)),
      ]);
      return Object.fromEntries(guarded) as Calls;
    },

    /** `half-open` is a circuit whose one call is under way. */
    get state(): 'closed' | 'open' | 'half-open' {
      if (policy.state === CircuitState.Closed) return 'closed';
      return policy.state === CircuitState.Open ? 'open' : 'half-open';
    },
  };
}

/** Says when so many failures have come in a row. */
function createFailureCount(limit: number) {
  let failures = 0;
  let countedAt = -Infinity;
  return {
    state: undefined,
    success() {
      failures = 0;
    },
    failure() {
      const now = performance.now();
      if (now - countedAt < momentMs) return false;
      countedAt = now;
      failures += 1;
      return failures >= limit;
    },
  } satisfies IBreaker;
}

/** How long a circuit stays open. cockatiel asks the wall clock, which may be set back meanwhile: here it gets the answer of the
 *  clock that only goes on. */
function createPause(ms: number) {
  const next = () => {
    const endsAt = performance.now() + ms;
    return {
      next,
      get duration() {
        return performance.now() < endsAt ? Infinity : -Infinity;
      },
    };
  };
  return { next };
}
