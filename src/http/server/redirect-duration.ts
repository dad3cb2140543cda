import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { readShortCode } from '../../keys/short-code.ts';
import { durationHistogram } from '../../metrics/prometheus.ts';
import type { Tier } from '../../urls/lookup.ts';
import { rawPathOf } from './target-path.ts';

/** One request in 64, on average, is measured: to measure each would cost more than a redirect from the memory cache. */
const sampleInterval = 64;

export type RedirectDurations = ReturnType<typeof createRedirectDurations>;

/** Measures a sample of the redirects, from the headers of the request to the end of the response. A request whose client
 *  disconnected early is not measured. */
export function createRedirectDurations() {
  const durations = durationHistogram(
    'redirect_duration_seconds',
    'Time from the headers of a request until its redirect was sent, of a sample of one in 64, by tier',
    ['tier'],
  );
  /** The tier of each sampled request that the fast path did not answer. */
  const samples = new WeakMap<IncomingMessage, { tier: Tier }>();
  let untilNext = nextGap();

  function measure(request: IncomingMessage, response: ServerResponse): void {
    const begin = performance.now();
    const sample = { tier: 'memory' as Tier };
    samples.set(request, sample);
    response.on('finish', () => {
      if (response.statusCode < 300 || response.statusCode >= 400) return;
      durations.observe({ tier: sample.tier }, (performance.now() - begin) / 1_000);
    });
  }

  return {
    measure:
      (next: RequestListener): RequestListener =>
      (request, response) => {
        if (--untilNext <= 0) {
          untilNext = nextGap();
          if (readShortCode(rawPathOf(request.url!)) !== undefined) measure(request, response);
        }
        next(request, response);
      },

    /** Notes the tier that resolved the short code of a request. */
    noteTier(request: IncomingMessage, tier: Tier): void {
      const sample = samples.get(request);
      if (sample !== undefined) sample.tier = tier;
    },

    read: durations.read,
  };
}

/** Requests until the next measured one. Random, because a periodic load could always hit the same request. */
const nextGap = () => 1 + Math.floor(Math.random() * (2 * sampleInterval - 1));
