import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { readShortCode } from '../../keys/short-code.ts';
import type { DurationHistogram } from '../../metrics/prometheus.ts';
import type { Tier } from '../../urls/resolve.ts';
import { codeOf } from './redirect-path.ts';

/** On average one redirect in 64 is measured: measuring each would cost more than the redirect itself. */
const sampled = 64;

/** Takes a duration in seconds. */
interface Observer {
  observe(seconds: number): void;
}

export type RequestDurations = ReturnType<typeof createRequestDurations>;

/** Measures from a request's headers to the end of its answer, for a sample of the redirects and for all requests of the API.
 *  A request whose client went away before the end is not measured. */
export function createRequestDurations(deps: {
  redirects: Observer;
  redirectsByTier: DurationHistogram<'tier'>;
  api: Observer;
}) {
  const { redirects, redirectsByTier, api } = deps;
  /** The tier of each sampled request that the memory cache did not answer. */
  const samples = new WeakMap<IncomingMessage, { tier: Tier }>();
  let left = nextGap();

  function measureApi(response: ServerResponse): void {
    const begin = performance.now();
    response.on('finish', () => api.observe((performance.now() - begin) / 1_000));
  }

  function measureRedirect(request: IncomingMessage, response: ServerResponse): void {
    const begin = performance.now();
    const sample = { tier: 'memory' as Tier };
    samples.set(request, sample);
    response.on('finish', () => {
      if (response.statusCode < 300 || response.statusCode >= 400) return;
      const seconds = (performance.now() - begin) / 1_000;
      redirects.observe(seconds);
      redirectsByTier.observe({ tier: sample.tier }, seconds);
    });
  }

  return {
    /** Answers as `answer` does, and measures. */
    measure:
      (answer: RequestListener): RequestListener =>
      (request, response) => {
        const url = request.url!;
        if (url.startsWith('/api/')) measureApi(response);
        else if (--left <= 0) {
          left = nextGap();
          if (readShortCode(codeOf(url)) !== undefined) measureRedirect(request, response);
        }
        answer(request, response);
      },

    /** Notes the tier that resolved the short code of a request. */
    noteTier(request: IncomingMessage, tier: Tier): void {
      const sample = samples.get(request);
      if (sample !== undefined) sample.tier = tier;
    },
  };
}

/** Requests until the next measured one: with a constant gap, a periodic load could always meet the same request. */
const nextGap = () => 1 + Math.floor(Math.random() * (2 * sampled - 1));
