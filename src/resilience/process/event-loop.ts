import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import type { Log } from '../../log.ts';
import { repeatedWarningsOf } from '../repeated-warnings.ts';

const sourceName = 'event loop';
const resolutionMs = 10;
const sampleMs = 250;
/** Change of the pressure per sample: up within two seconds, down more slowly, so that returning clients do not make it oscillate. */
const rise = 0.2;
const fall = 0.1;

export type EventLoopWatch = ReturnType<typeof watchEventLoop>;

/** Measures how late this process handles events, by the length of the turns of its event loop. */
export function watchEventLoop(options: { maxDelayMs: number; log: Log }) {
  const { maxDelayMs, log } = options;
  const histogram = monitorEventLoopDelay({ resolution: resolutionMs });
  histogram.enable();
  const warnings = repeatedWarningsOf(log);
  let sampledAt = performance.now();
  let latestMs = 0;
  let delayMs = 0;
  let pressure = 0;

  function sample(): void {
    const earlierMs = latestMs;
    const now = performance.now();
    // The histogram counts intervals between turns. Without an interval, a single turn took all the time.
    latestMs = histogram.count === 0 ? now - sampledAt : meanDelayMs(histogram);
    histogram.reset();
    sampledAt = now;
    // Take the smaller of the last two samples: after a SIGSTOP only one sample is an outlier.
    delayMs = Math.min(earlierMs, latestMs);
    const hadPressure = pressure > 0;
    pressure = Math.max(pressure - fall, Math.min(pressure + rise, target()));
    if (!hadPressure && pressure > 0)
      warnings.warn(sourceName, { delayMs: Math.round(delayMs) }, 'shedding load: the event loop is late');
    if (hadPressure && pressure === 0) warnings.end(sourceName, {}, 'stopped shedding load');
  }

  function target(): 0 | 1 | 2 {
    if (maxDelayMs === 0 || delayMs <= maxDelayMs) return 0;
    return delayMs <= 2 * maxDelayMs ? 1 : 2;
  }

  const timer = setInterval(sample, sampleMs);
  return {
    /** The recent delay of an event that arrives at a random moment. */
    get delayMs() {
      return delayMs;
    },
    /** How much work to reject, from 0 for none. It moves towards 1 while the delay exceeds `maxDelayMs`, towards 2 while it exceeds
     *  twice that, and otherwise back to 0. */
    get pressure() {
      return pressure;
    },
    stop(): void {
      clearInterval(timer);
      histogram.disable();
    },
  };
}

/** The mean length of the turn at a random moment, E[X²]/E[X], which exceeds the mean of all turns: a long turn covers more moments
 *  (inspection paradox). The percentiles of the histogram weigh all turns alike and would hide few long turns among many short ones. */
function meanDelayMs({ mean, stddev }: IntervalHistogram): number {
  return Math.max(0, (mean * mean + stddev * stddev) / mean / 1e6 - resolutionMs);
}
