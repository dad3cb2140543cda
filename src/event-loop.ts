import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Log } from './log.ts';

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
  let medianMs = 0;
  let delayMs = 0;
  let pressure = 0;

  function look(): void {
    const medianBeforeMs = medianMs;
    medianMs = histogram.count === 0 ? 0 : Math.max(0, histogram.percentile(50) / 1e6 - resolutionMs);
    histogram.reset();
    // The lesser of two: a process that was stopped for a moment, or collected garbage, has one bad one.
    delayMs = Math.min(medianBeforeMs, medianMs);
    const hadPressure = pressure > 0;
    pressure = Math.max(pressure - fall, Math.min(pressure + rise, goal()));
    if (!hadPressure && pressure > 0)
      log.warn({ delayMs: Math.round(delayMs) }, 'too busy: some requests are refused');
    if (hadPressure && pressure === 0) log.info('no longer too busy: no request is refused');
  }

  function goal(): 0 | 1 | 2 {
    if (maxDelayMs === 0 || delayMs <= maxDelayMs) return 0;
    return delayMs <= 2 * maxDelayMs ? 1 : 2;
  }

  const timer = setInterval(look, lookEveryMs);
  return {
    /** The usual delay lately. */
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
