import type { JobContext } from '../../job-context.ts';

/** Time without progress after which the worker of an import or export counts as gone. */
const idleSeconds = 30;

/** Processes each import or export that waits or whose worker is gone, the oldest first, and resolves to their number. Errors are thrown
 *  after the others are processed. */
export async function eachWaiting(
  { findWaiting }: { findWaiting: (after: number, idleSeconds: number) => Promise<number | undefined> },
  work: (id: number) => Promise<unknown>,
  signal: JobContext['signal'],
): Promise<number> {
  const errors: unknown[] = [];
  let count = 0;
  for (let after = 0; !signal.aborted;) {
    const id = await findWaiting(after, idleSeconds);
    if (id === undefined) break;
    await work(id).then(
      () => (count += 1),
      (error: unknown) => errors.push(error),
    );
    after = id;
  }
  if (errors.length > 0) throw errors.length === 1 ? errors[0] : new AggregateError(errors);
  return count;
}
