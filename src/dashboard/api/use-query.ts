import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { asProblem, type Problem } from './problem.ts';

const retryMs = 3_000;

export interface Query<Data> {
  /** The last answer, which stays while the next one loads. */
  data: Data | undefined;
  problem: Problem | undefined;
  isLoading: boolean;
  reload: () => void;
  /** Replaces the answer by one that another request got. */
  set: (data: Data) => void;
}

/** Loads data when `key` changes, and again every `everyMs` while the page is visible. A temporary problem is retried. */
export function useQuery<Data>(
  key: string | undefined,
  load: (signal: AbortSignal) => Promise<Data>,
  everyMs?: number,
): Query<Data> {
  const [state, setState] = useState<{ key?: string | undefined; data?: Data; problem?: Problem }>({});
  const [turn, setTurn] = useState(0);
  const latest = useRef(load);
  latest.current = load;

  useEffect(() => {
    if (key === undefined) return undefined;
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const again = (ms: number) => {
      timer = setTimeout(() => (document.hidden ? again(ms) : setTurn((n) => n + 1)), ms);
    };
    latest.current(abort.signal).then(
      (data) => {
        if (abort.signal.aborted) return;
        setState({ key, data });
        if (everyMs !== undefined) again(everyMs);
      },
      (error: unknown) => {
        if (abort.signal.aborted) return;
        const problem = asProblem(error);
        setState((before) => ({ ...before, key, problem }));
        if (problem.isTemporary) again((problem.retryAfterSeconds ?? 0) * 1_000 || retryMs);
      },
    );
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [key, turn, everyMs]);

  const reload = useCallback(() => setTurn((n) => n + 1), []);
  const set = useCallback((data: Data) => setState({ key, data }), [key]);
  return { data: state.data, problem: state.problem, isLoading: state.key !== key, reload, set };
}
