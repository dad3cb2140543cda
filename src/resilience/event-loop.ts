import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import type { Log } from '../log.ts';
import { repeatedWarningsOf } from './repeated-warnings.ts';

const sourceName = 'event loop';
const resolutionMs = 10;
const lookEveryMs = 250;
/** How fast the pressure follows: up within a second or two, down slowly, so that those who come back do not swing it. */
const rise = 0.2;
const fall = 0.1;

export type EventLoopWatch = ReturnType<typeof watchEventLoop>;

/** Watches how late this process is with everything that it does: how long its event loop takes from one turn to the next. */
export function watchEventLoop(options: { maxDelayMs: number; log: Log }) {
  const { maxDelayMs, log } = options;
  const histogram = monitorEventLoopDelay({ resolution: resolutionMs });
  histogram.enable();
  const warnings = repeatedWarningsOf(log);
  let lookedAt = performance.now();
  let latestMs = 0;
  let delayMs = 0;
  let pressure = 0;

  function look(): void {
    const earlierMs = latestMs;
    const now = performance.now();
    // It measures from one turn to the next, from the first one on: where there was only one, that took all the time.
    latestMs = histogram.count === 0 ? now - lookedAt : meanDelayMs(histogram);
    histogram.reset();
    lookedAt = now;
    // The lesser of two: a process that was stopped for a moment, however long, has one bad one.
    delayMs = Math.min(earlierMs, latestMs);
    const hadPressure = pressure > 0;
    pressure = Math.max(pressure - fall, Math.min(pressure + rise, goal()));
    if (!hadPressure && pressure > 0)
      warnings.warn(sourceName, { delayMs: Math.round(delayMs) }, 'too busy: some requests are refused');
    if (hadPressure && pressure === 0)
      warnings.end(sourceName, {}, 'no longer too busy: no request is refused');
  }

  function goal(): 0 | 1 | 2 {
    if (maxDelayMs === 0 || delayMs <= maxDelayMs) return 0;
    return delayMs <= 2 * maxDelayMs ? 1 : 2;
  }

  const timer = setInterval(look, lookEveryMs);
  return {
    /** How late what comes at any moment is dealt with, lately. */
    get delayMs() {
      return delayMs;
    },
    /** How much work should be refused, from 0 for none: it moves towards 1 while the delay is above `maxDelayMs`, towards 2
     *  while it is above twice that, and back to 0. */
    get pressure() {
      return pressure;
    },
    stop(): void {
      clearInterval(timer);
      histogram.disable();
    },
  };
}

/** The length of the turn that is under way at any moment, on average: long turns count for as long as they take. */
function meanDelayMs({ mean, stddev }: IntervalHistogram): number {
  return Math.max(0, (mean * mean + stddev * stddev) / mean / 1e6 - resolutionMs);
}
