import { useEffect, useRef, useState } from 'preact/hooks';

interface Transfer {
  state: string;
  progress: number;
  rows: number;
}

export const isFinished = ({ state }: Pick<Transfer, 'state'>) => state === 'completed' || state === 'failed';

/** Rows per second of a running transfer since it is shown, and the time that it still needs. */
export function useRate(item: Transfer): { perSecond: number; leftMs: number | undefined } | undefined {
  const first = useRef<{ at: number; rows: number; progress: number }>(undefined);
  const [rate, setRate] = useState<ReturnType<typeof useRate>>();
  useEffect(() => {
    const at = performance.now();
    if (item.state !== 'running') {
      first.current = undefined;
      setRate(undefined);
      return;
    }
    first.current ??= { at, rows: item.rows, progress: item.progress };
    const passedMs = at - first.current.at;
    if (passedMs < 1_000) return;
    const gained = item.progress - first.current.progress;
    setRate({
      perSecond: (item.rows - first.current.rows) / (passedMs / 1_000),
      leftMs: gained > 0 ? (passedMs / gained) * (100 - item.progress) : undefined,
    });
  }, [item.state, item.rows, item.progress]);
  return rate;
}
