import { Overloaded } from './overloaded.ts';

/** Runs at most `concurrency` tasks at a time. Up to `queueSize` more wait, first in, first out; further ones are rejected with Overloaded
 *  at once. cockatiel's bulkhead is not used: it frees a slot before the first waiting task takes it, so that a new task may take the
 *  slot and the waiting one is rejected. */
export function createConcurrencyLimit({
  concurrency,
  queueSize,
}: {
  concurrency: number;
  queueSize: number;
}) {
  const queue: (() => void)[] = [];
  let running = 0;

  async function enter(): Promise<void> {
    if (running < concurrency) running += 1;
    else if (queue.length >= queueSize) throw new Overloaded('too many tasks are waiting');
    // `leave` hands its slot over.
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
