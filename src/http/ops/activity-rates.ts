import { type Activity, type Durations, historyMs, type Interval, intervalMs } from './activity.ts';

const secondsOf = (intervals: number) => (intervals * intervalMs) / 1_000;

/** How many intervals the current rates cover, and how many the use of the key pool. */
const currentIntervals = 60_000 / intervalMs;
const poolIntervals = 300_000 / intervalMs;

/** Rates of all processes; null where nothing was measured. */
export interface Rates {
  redirects_per_s: number | null;
  api_per_s: number | null;
  errors_5xx_per_s: number | null;
  redirect_p99_ms: number | null;
}

type Columns = { [Name in keyof Rates]: Rates[Name][] };

/** The history of the last 15 minutes, oldest interval first. */
export interface Series extends Columns {
  interval_s: number;
  begins_at: number;
}

/** The rates of the last minute, of all these processes together. */
export function ratesOf(processes: Activity[], now = Date.now()): Rates {
  const last = Math.floor(now / intervalMs) - 1;
  const isRecent = ({ number }: Interval) => number > last - currentIntervals && number <= last;
  const recent = processes.flatMap(({ intervals }) => intervals.filter(isRecent));
  return toRates(recent, new Set(recent.map(({ number }) => number)).size);
}

/** The rates of each interval of the last 15 minutes. */
export function seriesOf(processes: Activity[], now = Date.now()): Series {
  const all = processes.flatMap(({ intervals }) => intervals);
  const count = historyMs / intervalMs;
  const first = Math.floor(now / intervalMs) - count;
  const rates = Array.from({ length: count }, (_, i) =>
    toRates(
      all.filter(({ number }) => number === first + i),
      1,
    ),
  );
  const column = <Name extends keyof Rates>(name: Name) => rates.map((one) => one[name]);
  return {
    interval_s: secondsOf(1),
    begins_at: first * intervalMs,
    redirects_per_s: column('redirects_per_s'),
    api_per_s: column('api_per_s'),
    errors_5xx_per_s: column('errors_5xx_per_s'),
    redirect_p99_ms: column('redirect_p99_ms'),
  };
}

/** Keys per second that left the pool within the last five minutes, as one process sees its size; undefined without two sizes. */
export function poolUseOf({ intervals }: Pick<Activity, 'intervals'>): number | undefined {
  const sizes = intervals.slice(-poolIntervals).map(({ poolSize }) => poolSize);
  const pairs = sizes.slice(1).map((size, i) => [sizes[i]!, size] as const);
  const known = pairs.filter((pair): pair is readonly [number, number] =>
    pair.every((size) => size !== null),
  );
  if (known.length === 0) return undefined;
  const used = known.reduce((sum, [before, after]) => sum + Math.max(0, before - after), 0);
  return used / secondsOf(known.length);
}

function toRates(intervals: Interval[], count: number): Rates {
  const perSecond = (read: (interval: Interval) => number) =>
    intervals.length === 0 ? null : round(sumOf(intervals.map(read)) / secondsOf(count));
  return {
    redirects_per_s: perSecond(({ redirects }) => redirects),
    api_per_s: perSecond(({ apiRequests }) => apiRequests),
    errors_5xx_per_s: perSecond(({ serverErrors }) => serverErrors),
    redirect_p99_ms: percentileOf(intervals.map(({ durations }) => durations)),
  };
}

/** The 99th percentile in ms, interpolated within its bucket as Prometheus does; null without a measurement. */
function percentileOf(all: Durations[]): number | null {
  const counts = new Map<number, number>();
  for (const [bound, count] of all.flat()) counts.set(bound, (counts.get(bound) ?? 0) + count);
  const total = counts.get(Infinity) ?? 0;
  if (total === 0) return null;
  const rank = 0.99 * total;
  let [lowerBound, lowerCount] = [0, 0];
  for (const [bound, count] of [...counts].toSorted(([a], [b]) => a - b)) {
    if (count >= rank) {
      const share = (rank - lowerCount) / (count - lowerCount);
      const seconds = bound === Infinity ? lowerBound : lowerBound + (bound - lowerBound) * share;
      return round(seconds * 1_000);
    }
    [lowerBound, lowerCount] = [bound, count];
  }
  return null;
}

const sumOf = (numbers: number[]) => numbers.reduce((sum, one) => sum + one, 0);

const round = (value: number) => Math.round(value * 100) / 100;
