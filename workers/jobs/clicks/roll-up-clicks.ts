import type { ClickSegments } from '../../../src/analytics/rollups/segments.ts';
import type { JobContext } from '../../job-context.ts';

/** Rolls up clicks by day: after an hour, sooner when there are very many, or now with `always`. While other sessions hold the locks it does
 *  nothing; the next run continues. */
export async function rollUpClicks(clickSegments: ClickSegments, always: boolean, { signal }: JobContext) {
  const { segments, isBusy } = await clickSegments.rollUp({ always, signal });
  if (isBusy) return { segments, status: 'other sessions hold the locks' };
  return segments === 0
    ? { segments, status: 'nothing to roll up' }
    : { segments, interrupted: signal.aborted };
}
