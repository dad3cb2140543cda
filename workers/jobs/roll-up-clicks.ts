import type { ClickSegments } from '../../src/analytics/rollups/segments.ts';
import type { JobContext } from '../job-context.ts';

/** Rolls up clicks by day: all of the last hour, or sooner when there are very many. While other sessions hold the locks it does nothing;
 *  the next run continues. */
export async function rollUpClicks(clickSegments: ClickSegments, { signal }: JobContext) {
  const { segments, isBusy } = await clickSegments.rollUp({ signal });
  if (isBusy) return { segments, status: 'other sessions hold the locks' };
  return segments === 0
    ? { segments, status: 'nothing to roll up' }
    : { segments, interrupted: signal.aborted };
}
