import { circuitBreaker, CircuitState, handleWhen, type IBreaker, isBrokenCircuitError } from 'cockatiel';
import type { Log } from '../log.ts';
import { repeatedWarningsOf } from './repeated-warnings.ts';
import { withDeadline } from './shutdown.ts';

/** Failures within this time count as one: look-ups of one batch fail together. */
const momentMs = 50;

export type StoreName = 'PostgreSQL' | 'PostgreSQL standby' | 'Redis' | 'Redis of the cache';

/** A store did not answer in time. */
export class StoreUnavailable extends Error {
  override readonly name: string = 'StoreUnavailable';
  readonly store: StoreName;

  constructor(store: StoreName, message: string, options?: ErrorOptions) {
    super(message, options);
    this.store = store;
  }
}

/** The circuit of a store is open; `cause` is the last failure. */
export class CircuitOpen extends StoreUnavailable {
  override readonly name = 'CircuitOpen';
}

export type Breaker = ReturnType<typeof createBreaker>;

interface BreakerOptions {
  store: StoreName;
  /** Whether an error means that the store is unavailable; a rejected command is an answer. */
  isUnavailable: (error: unknown) => boolean;
  /** Whether such an error concerns one kind of call only, such as one that lacks a right: other calls continue. */
  isOfOneCall?: (error: unknown) => boolean;
  /** Failures in a row that open the circuit. */
  failures: number;
  openMs: number;
  /** Time limit of a call for a client that has none; then the call fails with StoreUnavailable. */
  deadlineMs?: number;
  log: Log;
}

/** A circuit breaker for a store. After `failures` failed calls in a row the circuit opens, and calls fail at once with CircuitOpen. Every
 *  `openMs` one call is let through; when it succeeds, the circuit closes. Each guarded call also has its own circuit, for errors that
 *  concern only this call. */
export function createBreaker(options: BreakerOptions) {
  const { store, isUnavailable, isOfOneCall = () => false, deadlineMs } = options;
  const whole = createCircuit(options, (error) => isUnavailable(error) && !isOfOneCall(error));
  const callCircuits: Circuit[] = [];

  async function inTime<T>(call: () => Promise<T>, ms: number): Promise<T> {
    return await withDeadline(call(), ms, () => {
      throw new StoreUnavailable(store, `${store} did not answer within ${ms} ms`);
    });
  }

  /** Runs a call; throws CircuitOpen at once while the circuit is open. */
  const run = async <T>(call: () => Promise<T>): Promise<T> =>
    await whole.run(deadlineMs === undefined ? call : () => inTime(call, deadlineMs));

  function guardOne(name: string, call: (...args: never[]) => Promise<unknown>) {
    const circuit = createCircuit(options, (error) => isUnavailable(error) && isOfOneCall(error), name);
    callCircuits.push(circuit);
    return (...args: never[]) => circuit.run(async () => await run(() => call(...args)));
  }

  return {
    run,

    /** Wraps these functions so that each call goes through the circuit. */
    guard<Calls extends Record<string, (...args: never[]) => Promise<unknown>>>(calls: Calls): Calls {
      const guarded = Object.entries(calls).map(([name, call]) => [name, guardOne(name, call)]);
      return Object.fromEntries(guarded) as Calls;
    },

    /** The state of the store's circuit or, while it is closed, of the first call whose circuit is not. */
    get state(): CircuitName {
      if (whole.state !== 'closed') return whole.state;
      return callCircuits.find(({ state }) => state !== 'closed')?.state ?? 'closed';
    },
  };
}

type CircuitName = 'closed' | 'open' | 'half-open';
type Circuit = ReturnType<typeof createCircuit>;

/** A circuit that `isFailure` opens; without `call` it is the circuit of the whole store. */
function createCircuit(
  { store, failures, openMs, log }: BreakerOptions,
  isFailure: (error: unknown) => boolean,
  call?: string,
) {
  const count = createFailureCount(failures);
  const policy = circuitBreaker(handleWhen(isFailure), {
    breaker: count,
    halfOpenAfter: createPause(openMs),
  });
  const isWhole = call === undefined;
  const warnings = repeatedWarningsOf(log);
  const source = `circuit ${store} ${call ?? ''}`;
  policy.onBreak((reason) => {
    const error = 'error' in reason ? reason.error : undefined;
    const message = isWhole
      ? 'store is unavailable, circuit opened'
      : 'store rejects a kind of call, circuit opened';
    warnings.warn(source, { err: error, store, call }, message, policy);
  });
  policy.onReset(() => {
    const message = isWhole
      ? 'store is available again, circuit closed'
      : 'store accepts a kind of call again, circuit closed';
    warnings.end(source, { store, call }, message, policy);
  });

  function reject(): never {
    const reason = policy.lastFailure;
    const cause = reason && 'error' in reason ? reason.error : undefined;
    throw new CircuitOpen(store, `${store} did not answer a moment ago`, { cause });
  }

  return {
    async run<T>(execute: () => Promise<T>): Promise<T> {
      // While one call is let through, cockatiel would let the others wait for its result.
      if (policy.state === CircuitState.HalfOpen) reject();
      try {
        return await policy.execute(execute);
      } catch (error) {
        if (isBrokenCircuitError(error)) reject();
        // A rejected command is an answer too, but cockatiel does not count it as a success.
        if (!isFailure(error)) count.success();
        throw error;
      }
    },

    get state(): CircuitName {
      if (policy.state === CircuitState.Closed) return 'closed';
      return policy.state === CircuitState.Open ? 'open' : 'half-open';
    },
  };
}

/** Opens the circuit after `limit` failures in a row. */
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

/** How long a circuit stays open. cockatiel compares this duration with the wall clock, which may be set back; a duration of plus or minus
 *  infinity lets the monotonic clock decide instead. */
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
