import { strict as assert } from 'node:assert';

/** The correct answer for a code, from one version to the next. */
interface State {
  answer: string;
  /** Milliseconds since 1970. */
  expiresAtMs: number | null;
  /** Undefined during the write, or if its writer never got the result. */
  version: number | undefined;
  /** When Redis first had this or a newer version. Undefined again once Redis may have an older one. */
  publishedAt: number | undefined;
  /** Web processes that received its invalidation. */
  receivedBy: Set<number>;
  /** Web processes that were disconnected when it was published. */
  missedBy: Set<number>;
}

export type Oracle = ReturnType<typeof createOracle>;

/** Maximum age of an entry in the memory cache in ms, while connected and while disconnected. */
const [maxAgeMs, maxDisconnectedAgeMs] = [1_800, 250];

/** Records the history of each code, and checks the answers of web processes. Processes without `hasCapacity` may
 *  evict invalidations, and then rely on Redis and the database. */
export function createOracle(codes: readonly string[], hasCapacity: boolean) {
  const states = new Map<string, State[]>(
    codes.map((code) => [code, [{ ...newState('not_found'), version: 0 }]]),
  );
  const statesOf = (code: string) => states.get(code)!;
  const all = () => [...states.values()].flat();

  /** Whether an answer is allowed: it matches a state that no newer state has replaced. */
  const isAllowed = (
    code: string,
    matches: (state: State) => boolean,
    isReplacedBy: (newer: State) => boolean,
  ) =>
    statesOf(code).some(
      (state) =>
        matches(state) &&
        !statesOf(code).some(
          (newer) =>
            state.version !== undefined &&
            newer.version !== undefined &&
            newer.version > state.version &&
            isReplacedBy(newer),
        ),
    );

  return {
    /** Records the start of a write; call the result with the written row, or undefined. */
    begin(code: string, answer: string) {
      const state = newState(answer);
      statesOf(code).push(state);
      return (written: { version: number; expiresAt?: Date | null } | undefined) => {
        if (!written) statesOf(code).splice(statesOf(code).indexOf(state), 1);
        state.version = written?.version;
        state.expiresAtMs = written?.expiresAt?.getTime() ?? null;
      };
    },

    /** Redis has this version and publishes it; `disconnected` web processes do not receive it. */
    onPublished(version: number, code: string, disconnected: number[]) {
      const state = statesOf(code).find((one) => one.version === version);
      if (!state) return;
      state.publishedAt ??= performance.now();
      for (const web of disconnected) state.missedBy.add(web);
    },

    /** A web process receives an invalidation. */
    onReceived(version: number, code: string, web: number) {
      statesOf(code)
        .find((one) => one.version === version)
        ?.receivedBy.add(web);
    },

    /** Redis lost its data since then, or older data may be put again. */
    onLoss(since: number) {
      for (const state of all())
        if (state.publishedAt !== undefined && state.publishedAt >= since) state.publishedAt = undefined;
    },

    /** Checks an entry of a memory cache. */
    checkMemory(web: number, isDisconnected: boolean, code: string, answer: string) {
      const isReplaced = (newer: State) => {
        if (newer.receivedBy.has(web) && (hasCapacity || newer.publishedAt !== undefined)) return true;
        const ageMs = isDisconnected || newer.missedBy.has(web) ? maxDisconnectedAgeMs : maxAgeMs;
        return newer.publishedAt !== undefined && performance.now() - newer.publishedAt >= ageMs;
      };
      assert.ok(
        isAllowed(code, (state) => state.answer === answer, isReplaced),
        `web process ${web} has ${code} in memory as ${answer}`,
      );
    },

    /** Begins to check a visit: invalidations received by now must be respected. */
    beginVisit(web: number, code: string) {
      const received = new Set(statesOf(code).filter((state) => hasCapacity && state.receivedBy.has(web)));
      /** Checks an answer as of `now` (ms since 1970), of a look-up that began at `lookUpAt` and may be `ageMs` old. */
      return (answer: string, now: number, lookUpAt: number, ageMs: number) => {
        const matches = (state: State) => answer === (hasExpired(state, now) ? 'expired' : state.answer);
        const isReplaced = (newer: State) =>
          newer.publishedAt !== undefined && (received.has(newer) || newer.publishedAt <= lookUpAt - ageMs);
        assert.ok(isAllowed(code, matches, isReplaced), `web process ${web} answers ${code} with ${answer}`);
      };
    },
  };
}

const newState = (answer: string): State => ({
  answer,
  expiresAtMs: null,
  version: undefined,
  publishedAt: undefined,
  receivedBy: new Set(),
  missedBy: new Set(),
});

const hasExpired = ({ expiresAtMs }: State, now: number) => expiresAtMs !== null && expiresAtMs <= now;
