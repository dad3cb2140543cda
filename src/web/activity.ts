import type { RequestCounts } from '../http/middleware/request-counts.ts';
import { type Activity, type Counters, durationsOf, recordActivity } from '../http/ops/activity.ts';
import { problemTypes } from '../http/problems/problem-types.ts';
import type { LoadShedding } from '../http/server/load-shedding.ts';
import type { RedirectDurations } from '../http/server/redirect-duration.ts';
import type { EventLoopWatch } from '../resilience/process/event-loop.ts';
import type { Modules } from './modules/modules.ts';
import type { WebContext } from './stores/context.ts';

const apiPath = '/api/v1/';

/** Records the activity of this process. Returns a reader of it. */
export function openActivity(
  { closing, conditions }: WebContext,
  { urls, keyPool, clicks }: Pick<Modules, 'urls' | 'keyPool' | 'clicks'>,
  http: {
    requestCounts: RequestCounts;
    loadShedding: Pick<LoadShedding, 'rejected' | 'rejectedShare'>;
    eventLoop: Pick<EventLoopWatch, 'delayMs'>;
    redirectDurations: Pick<RedirectDurations, 'read'>;
  },
): () => Activity {
  const { requestCounts, loadShedding, eventLoop, redirectDurations } = http;

  async function readCounters(): Promise<Counters> {
    const { memory, redis, database, stale } = urls.resolved;
    const ofApi = requestCounts.read().filter(({ labels }) => labels.route.startsWith(apiPath));
    const failed = requestCounts
      .readProblems()
      .filter(({ labels }) => problemTypes[labels.type].status >= 500);
    return {
      redirects: memory + redis + database + stale,
      apiRequests: sumOf(ofApi.map(({ value }) => value)),
      serverErrors: sumOf([...failed.map(({ value }) => value), ...Object.values(loadShedding.rejected)]),
      durations: durationsOf(await redirectDurations.read()),
      poolSize: await keyPool.size().catch(() => null),
    };
  }

  const history = closing.defer('activity', recordActivity(readCounters), ({ stop }) => stop());
  return () => {
    const { dropped, unconfirmed, oldestMs } = clicks.clickRecorder.read();
    return {
      intervals: [...history.intervals],
      droppedClicks: dropped,
      unconfirmedBatches: unconfirmed,
      oldestClickMs: oldestMs,
      conditions: conditions.list(),
      eventLoopDelayMs: eventLoop.delayMs,
      rejectedShare: loadShedding.rejectedShare(),
    };
  };
}

const sumOf = (numbers: number[]) => numbers.reduce((sum, one) => sum + one, 0);
