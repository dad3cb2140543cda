import type { JobContext } from './job-context.ts';

/** A transfer of which nothing was heard for this long is nobody's. */
const silentSeconds = 30;

/** Works on each import or export that waits or whose worker is gone, the oldest first; resolves to how many those were. One that fails
 *  does not keep the others waiting: its error is thrown when they are done. */
export async function eachWaiting(
  { findWaiting }: { findWaiting: (after: number, silentSeconds: number) => Promise<number | undefined> },
  work: (id: number) => Promise<unknown>,
  signal: JobContext['signal'],
): Promise<number> {
  const errors: unknown[] = [];
  let count = 0;
  for (let after = 0; !signal.aborted;) {
    const id = await findWaiting(after, silentSeconds);
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
