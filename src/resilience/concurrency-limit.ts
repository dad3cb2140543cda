import { Overloaded } from './overloaded.ts';

/** Runs at most `atOnce` tasks at a time. Up to `waiting` more wait for their turn; who asks beyond that gets Overloaded at once
 *  instead of a place in a growing queue. */
export function createConcurrencyLimit({ atOnce, waiting }: { atOnce: number; waiting: number }) {
  const queue: (() => void)[] = [];
  let running = 0;

  async function enter(): Promise<void> {
    if (running < atOnce) running += 1;
    else if (queue.length >= waiting) throw new Overloaded('too many are waiting for their turn');
    // Who leaves hands its place on.
    else await new Promise<void>((resolve) => queue.push(resolve));
  }

  function leave(): void {
    const next = queue.shift();
    if (next) next();
    else running -= 1;
  }

  return async function run<T>(task: () => Promise<T>): Promise<T> {
    await enter();
    try {
      return await task();
    } finally {
      leave();
    }
  };
}
