import { strict as assert } from 'node:assert';

/** What a code led to, or why it led nowhere, from one version of it to the next. */
interface State {
  shows: string;
  /** Milliseconds since 1970. */
  expiresAtMs: number | null;
  /** Undefined while it is being written, or when its writer never heard that it was. */
  version: number | undefined;
  /** When Redis had it, or something newer. Undefined again once Redis may have something older. */
  toldAt: number | undefined;
  /** Web processes that its announcement has reached. */
  heardBy: Set<number>;
  /** Web processes that knew then that they would not hear of it. */
  missedBy: Set<number>;
}

export type UrlJudge = ReturnType<typeof createUrlJudge>;

/** How old what a process knows by heart may be, in ms: while announcements arrive, and while it knows that they may not. */
const [longestAgeMs, longestDeafAgeMs] = [1_800, 250];

/** Knows what each code has led to and when, and judges what web processes say of it. Those without `hasRoom` may forget what
 *  they have heard, and then rely on Redis and table to have it. */
export function createUrlJudge(codes: readonly string[], hasRoom: boolean) {
  const states = new Map<string, State[]>(
    codes.map((code) => [code, [{ ...newState('not found'), version: 0 }]]),
  );
  const statesOf = (code: string) => states.get(code)!;
  const all = () => [...states.values()].flat();

  /** Whether a code may still be shown so: in a state that nothing newer has replaced. */
  const mayShow = (code: string, shows: (state: State) => boolean, isReplacedBy: (newer: State) => boolean) =>
    statesOf(code).some(
      (state) =>
        shows(state) &&
        !statesOf(code).some(
          (newer) =>
            state.version !== undefined &&
            newer.version !== undefined &&
            newer.version > state.version &&
            isReplacedBy(newer),
        ),
    );

  return {
    /** Something is being written. To be told what was, if anything. */
    begin(code: string, shows: string) {
      const state = newState(shows);
      statesOf(code).push(state);
      return (written: { version: number; expiresAt?: Date | null } | undefined) => {
        if (!written) statesOf(code).splice(statesOf(code).indexOf(state), 1);
        state.version = written?.version;
        state.expiresAtMs = written?.expiresAt?.getTime() ?? null;
      };
    },

    /** Redis has this version and announces it; these web processes know that they will not hear of it. */
    onTold(version: number, code: string, deaf: number[]) {
      const state = statesOf(code).find((one) => one.version === version);
      if (!state) return;
      state.toldAt ??= performance.now();
      for (const web of deaf) state.missedBy.add(web);
    },

    /** An announcement arrives. */
    onHeard(version: number, code: string, web: number) {
      statesOf(code)
        .find((one) => one.version === version)
        ?.heardBy.add(web);
    },

    /** Redis lost what it was told since then, or may be filled with what is older. */
    onLoss(since: number) {
      for (const state of all())
        if (state.toldAt !== undefined && state.toldAt >= since) state.toldAt = undefined;
    },

    /** Judges what a process knows by heart at this moment. */
    judgeByHeart(web: number, isDeaf: boolean, code: string, shows: string) {
      const isReplaced = (newer: State) => {
        if (newer.heardBy.has(web) && (hasRoom || newer.toldAt !== undefined)) return true;
        const ageMs = isDeaf || newer.missedBy.has(web) ? longestDeafAgeMs : longestAgeMs;
        return newer.toldAt !== undefined && performance.now() - newer.toldAt >= ageMs;
      };
      assert.ok(
        mayShow(code, (state) => state.shows === shows, isReplaced),
        `${web} knows ${code} as ${shows}`,
      );
    },

    /** Begins to judge a visit: what has been announced here by now must show. */
    beginVisit(web: number, code: string) {
      const heard = new Set(statesOf(code).filter((state) => hasRoom && state.heardBy.has(web)));
      /** Judges an answer as of `now`, ms since 1970, of a look-up that began at `lookUpAt` and whose answer may be so old. */
      return (shows: string, now: number, lookUpAt: number, ageMs: number) => {
        const isShown = (state: State) => shows === (hasExpired(state, now) ? 'expired' : state.shows);
        const isReplaced = (newer: State) =>
          newer.toldAt !== undefined && (heard.has(newer) || newer.toldAt <= lookUpAt - ageMs);
        assert.ok(mayShow(code, isShown, isReplaced), `${web} says of ${code}: ${shows}`);
      };
    },
  };
}

const newState = (shows: string): State => ({
  shows,
  expiresAtMs: null,
  version: undefined,
  toldAt: undefined,
  heardBy: new Set(),
  missedBy: new Set(),
});

const hasExpired = ({ expiresAtMs }: State, now: number) => expiresAtMs !== null && expiresAtMs <= now;
