import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { readShortCode } from '../../keys/short-code.ts';
import type { EventLoopWatch } from '../../resilience/process/event-loop.ts';
import { isOperatorPath } from './operator-paths.ts';
import { createRejection } from './rejection.ts';
import { shortCodeOf } from './target-path.ts';

/** At least one in ten passes: retries may be all of the load, and one look-up fills the memory cache for all other visitors. */
const maxRejectedShare = 0.9;

export type LoadShedding = ReturnType<typeof createLoadShedding>;

/** Rejects requests of a busy process with 503 and `Retry-After`, instead of delaying all of them: API requests first, then redirects.
 *  It runs after the redirects from the memory cache and before Koa, because a rejection must be cheap. Health, metrics and Bull Board
 *  are never rejected. */
export function createLoadShedding(deps: {
  eventLoop: Pick<EventLoopWatch, 'pressure'>;
  /** Concurrent requests of all kinds, and of the API. */
  maxRequests: number;
  maxApiRequests: number;
  baseUrl: string;
}) {
  const { eventLoop, maxRequests, maxApiRequests, baseUrl } = deps;
  const tooBusy = createRejection('The service is too busy.', baseUrl);
  const tooManyApiRequests = createRejection('Too many API requests are in progress.', baseUrl);
  const tooManyRequests = createRejection('Too many requests are in progress.', baseUrl);
  const inProgress = { all: 0, api: 0 };
  const rejected = { api: 0, redirects: 0, pages: 0 };
  let isLimitMet = false;
  const rejectedShare = () => ({
    api: Math.min(eventLoop.pressure, maxRejectedShare),
    redirects: Math.min(Math.max(eventLoop.pressure - 1, 0), maxRejectedShare),
  });

  function findRejection(kind: Kind): ((response: ServerResponse) => void) | undefined {
    if (kind === 'operators') return undefined;
    if (kind !== 'pages' && Math.random() < rejectedShare()[kind]) return tooBusy;
    const isOverLimit = inProgress.all >= maxRequests;
    const isOverApiLimit = kind === 'api' && inProgress.api >= maxApiRequests;
    if (!isOverLimit && !isOverApiLimit) return undefined;
    isLimitMet = true;
    return isOverApiLimit ? tooManyApiRequests : tooManyRequests;
  }

  async function track(kind: Kind, work: Promise<void>): Promise<void> {
    const api = kind === 'api' ? 1 : 0;
    inProgress.all += 1;
    inProgress.api += api;
    try {
      await work;
    } finally {
      // The work may continue after the client has disconnected, and counts until it ends.
      inProgress.all -= 1;
      inProgress.api -= api;
    }
  }

  return {
    /** Rejected requests by kind. */
    rejected: rejected as Readonly<typeof rejected>,

    /** Requests in progress, without redirects from the memory cache. */
    inProgress: inProgress as Readonly<typeof inProgress>,

    /** The share of requests of each kind that is rejected. */
    rejectedShare,

    /** Whether a limit on requests in progress was reached since the last call. */
    takeLimitMet(): boolean {
      const wasMet = isLimitMet;
      isLimitMet = false;
      return wasMet;
    },

    /** Passes requests to `handle`, except the rejected ones. */
    shed(handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>): RequestListener {
      return (request, response) => {
        const kind = kindOf(request.url!);
        const reject = findRejection(kind);
        if (reject === undefined) {
          void track(kind, handle(request, response));
          return;
        }
        if (kind !== 'operators') rejected[kind] += 1;
        reject(response);
      };
    },
  };
}

type Kind = 'api' | 'redirects' | 'pages' | 'operators';

function kindOf(url: string): Kind {
  if (readShortCode(shortCodeOf(url)) !== undefined) return 'redirects';
  if (url.startsWith('/api/')) return 'api';
  return isOperatorPath(url) ? 'operators' : 'pages';
}
