import { circuitBreaker, CircuitState, handleWhen, type IBreaker, isBrokenCircuitError } from 'cockatiel';
import type { Log } from '../log.ts';
import { repeatedWarningsOf } from './repeated-warnings.ts';
import { withDeadline } from './shutdown.ts';

/** Failures so close together are one: look-ups that travelled together fail together. */
const momentMs = 50;

export type StoreName = 'PostgreSQL' | 'Redis';

/** A store did not answer in time. */
export class StoreUnavailable extends Error {
  override readonly name: string = 'StoreUnavailable';
  readonly store: StoreName;

  constructor(store: StoreName, message: string, options?: ErrorOptions) {
    super(message, options);
    this.store = store;
  }
}

/** A store was not asked, because it failed to answer a moment ago; `cause` says how. */
export class CircuitOpen extends StoreUnavailable {
  override readonly name = 'CircuitOpen';
}

export type Breaker = ReturnType<typeof createBreaker>;

interface BreakerOptions {
  store: StoreName;
  /** Whether an error says that the store cannot answer; a refusal is an answer. */
  isUnavailable: (error: unknown) => boolean;
  /** Whether such an error says so of one kind of call alone, such as one that lacks a right: other calls continue. */
  isOfOneCall?: (error: unknown) => boolean;
  /** Failures in a row that open the circuit. */
  failures: number;
  openMs: number;
  /** How long a call may take, where the store's client has no limit itself; then it fails with StoreUnavailable. */
  deadlineMs?: number;
  log: Log;
}

/** Keeps calls away from a store that is away or hangs: after some failures in a row each call fails at once with
 *  CircuitOpen, but for one every `openMs` that is let through and, when the store answers it, closes the circuit again.
 *  Each guarded call also has a circuit of its own, for errors that concern it alone. */
export function createBreaker(options: BreakerOptions) {
  const { store, isUnavailable, isOfOneCall = () => false, deadlineMs } = options;
  const whole = createCircuit(options, (error) => isUnavailable(error) && !isOfOneCall(error));
  const ofCalls: Circuit[] = [];

  async function inTime<T>(call: () => Promise<T>, ms: number): Promise<T> {
    return await withDeadline(call(), ms, () => {
      throw new StoreUnavailable(store, `${store} did not answer within ${ms} ms`);
    });
  }

  /** What a call gives, or throws; throws CircuitOpen, at once, while the circuit is open. */
  const run = async <T>(call: () => Promise<T>): Promise<T> =>
    await whole.run(deadlineMs === undefined ? call : () => inTime(call, deadlineMs));

  function guardOne(name: string, call: (...args: never[]) => Promise<unknown>) {
    const circuit = createCircuit(options, (error) => isUnavailable(error) && isOfOneCall(error), name);
    ofCalls.push(circuit);
    return (...args: never[]) => circuit.run(async () => await run(() => call(...args)));
  }

  return {
    run,

    /** The same functions, each call of which goes through the circuit. */
    guard<Calls extends Record<string, (...args: never[]) => Promise<unknown>>>(calls: Calls): Calls {
      const guarded = Object.entries(calls).map(([name, call]) => [name, guardOne(name, call)]);
      return Object.fromEntries(guarded) as Calls;
    },

    /** Of the whole store; while that answers, `open` where it refuses some calls. `half-open` is a circuit whose one call is in
     *  progress. */
    get state(): CircuitName {
      if (whole.state !== 'closed') return whole.state;
      return ofCalls.find(({ state }) => state !== 'closed')?.state ?? 'closed';
    },
  };
}

type CircuitName = 'closed' | 'open' | 'half-open';
type Circuit = ReturnType<typeof createCircuit>;

/** A circuit that `isFailure` opens; without a name it is that of the whole store. */
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
    const message = isWhole ? 'store does not answer, circuit opened' : 'store refuses a kind of call';
    warnings.warn(source, { err: error, store, call }, message, policy);
  });
  policy.onReset(() => {
    const message = isWhole ? 'store answers again, circuit closed' : 'store accepts a kind of call again';
    warnings.end(source, { store, call }, message, policy);
  });

  function refuse(): never {
    const reason = policy.lastFailure;
    const cause = reason && 'error' in reason ? reason.error : undefined;
    throw new CircuitOpen(store, `${store} did not answer a moment ago`, { cause });
  }

  return {
    async run<T>(execute: () => Promise<T>): Promise<T> {
      // While one call is let through, cockatiel would have the others wait for how it ends.
      if (policy.state === CircuitState.HalfOpen) refuse();
      try {
        return await policy.execute(execute);
      } catch (error) {
        if (isBrokenCircuitError(error)) refuse();
        // A refusal is an answer, which cockatiel does not count as one.
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
