import type { Metric } from '../../metrics/prometheus.ts';
import type { Condition } from '../../resilience/conditions.ts';
import { createPoller } from '../../resilience/poller.ts';

/** The interval of one point of the history, and how long the history is. */
export const intervalMs = 10_000;
export const historyMs = 15 * 60_000;

/** What happened in one interval. */
export interface Interval {
  /** The interval since 1970: intervals of several processes have the same number. */
  number: number;
  redirects: number;
  apiRequests: number;
  /** Responses with a 5xx status, with rejections because of load. */
  serverErrors: number;
  /** Measured redirects by duration: as many as took at most each bound of the histogram, in its order. */
  durations: Durations;
  /** Keys in the pool at its end; null if Redis did not answer. */
  poolSize: number | null;
}

/** Numbers of measured redirects, by the upper bound of their duration in seconds; the last bound is infinite. */
export type Durations = [bound: number, count: number][];

/** Counters since the start of the process. */
export type Counters = Omit<Interval, 'number'>;

/** What one process does, and its state. */
export interface Activity {
  /** In order, without those before the start of the process. */
  intervals: Interval[];
  droppedClicks: number;
  unconfirmedBatches: number;
  /** Age of the oldest click that the process has not written; 0 without one. */
  oldestClickMs: number;
  conditions: Condition[];
  eventLoopDelayMs: number;
  /** Share of the requests of each kind that load shedding rejects. */
  rejectedShare: { api: number; redirects: number };
}

/** Records what this process does, in intervals of 10 s for 15 minutes. Intervals end at multiples of 10 s of the clock. */
export function recordActivity(readCounters: () => Promise<Counters>) {
  const intervals: Interval[] = [];
  let before: Counters | undefined;

  async function sample(): Promise<void> {
    const counters = await readCounters();
    // The timer fires just after the end of the interval.
    const number = Math.round(Date.now() / intervalMs) - 1;
    // Two samples can be rounded to one interval: what the second one counts belongs to the next.
    if (intervals.at(-1)?.number === number) return;
    if (before) intervals.push({ number, ...differenceOf(counters, before) });
    before = counters;
    if (intervals.length > historyMs / intervalMs) intervals.shift();
  }

  const poller = createPoller({
    everyMs: () => intervalMs - (Date.now() % intervalMs),
    run: sample,
    onFailure: () => undefined,
  });
  void poller.poll();
  return { intervals: intervals as readonly Interval[], stop: () => void poller.stop() };
}

function differenceOf(now: Counters, before: Counters): Counters {
  const earlier = new Map(before.durations);
  return {
    redirects: now.redirects - before.redirects,
    apiRequests: now.apiRequests - before.apiRequests,
    serverErrors: now.serverErrors - before.serverErrors,
    durations: now.durations.map(([bound, count]) => [bound, count - (earlier.get(bound) ?? 0)]),
    poolSize: now.poolSize,
  };
}

/** The buckets of a histogram over all its labels. */
export function durationsOf({ values }: Metric): Durations {
  const counts = new Map<number, number>();
  for (const { value, labels } of values) {
    const bound = labels['le'];
    if (bound === undefined) continue;
    const seconds = bound === '+Inf' ? Infinity : Number(bound);
    counts.set(seconds, (counts.get(seconds) ?? 0) + value);
  }
  return [...counts].toSorted(([a], [b]) => a - b);
}
