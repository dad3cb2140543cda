import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { readShortCode } from '../../keys/short-code.ts';
import type { EventLoopWatch } from '../../resilience/event-loop.ts';
import { isForOperators } from './operator-paths.ts';
import { shortCodeOf } from './redirect-path.ts';
import { createRejection } from './refusal.ts';

/** Some always pass: those who try again at once may be all of the load, and what one visitor's look-up has found the others
 *  get by heart. */
const mostRefused = 0.9;

const tooBusy = createRejection('The service is too busy.');
const tooManyOfApi = createRejection('Too many API requests are in progress.');
const tooMany = createRejection('Too many requests are in progress.');

export type LoadShedding = ReturnType<typeof createLoadShedding>;

/** Refuses, with 503 and `Retry-After`, what a busy process has no time for, rather than let everything wait: requests of the
 *  API first, then redirects too. It is behind what is answered from the memory cache and ahead of Koa, since a refusal must cost
 *  little. Health, metrics and Bull Board are never refused. */
export function createLoadShedding(deps: {
  eventLoop: Pick<EventLoopWatch, 'pressure'>;
  /** Requests of all kinds, and of the API, that are in progress at once. */
  maxRequests: number;
  maxApiRequests: number;
}) {
  const { eventLoop, maxRequests, maxApiRequests } = deps;
  const inProgress = { all: 0, api: 0 };
  const refused = { api: 0, redirects: 0, pages: 0 };
  let isLimitMet = false;
  const refusedShare = () => ({
    api: Math.min(eventLoop.pressure, mostRefused),
    redirects: Math.min(Math.max(eventLoop.pressure - 1, 0), mostRefused),
  });

  function refusalFor(kind: Kind): ((response: ServerResponse) => void) | undefined {
    if (kind === 'operators') return undefined;
    if (kind !== 'pages' && Math.random() < refusedShare()[kind]) return tooBusy;
    const isPastAll = inProgress.all >= maxRequests;
    const isPastApi = kind === 'api' && inProgress.api >= maxApiRequests;
    if (!isPastAll && !isPastApi) return undefined;
    isLimitMet = true;
    return isPastApi ? tooManyOfApi : tooMany;
  }

  async function track(kind: Kind, work: Promise<void>): Promise<void> {
    const api = kind === 'api' ? 1 : 0;
    inProgress.all += 1;
    inProgress.api += api;
    try {
      await work;
    } finally {
      // The end of the work counts, not that of the response: the work may continue after a client has disconnected.
      inProgress.all -= 1;
      inProgress.api -= api;
    }
  }

  return {
    /** How many requests of each kind were refused. */
    refused: refused as Readonly<typeof refused>,

    /** Requests that are being worked on; those answered from the memory cache are not among them. */
    inProgress: inProgress as Readonly<typeof inProgress>,

    /** The share of requests of each kind that is refused. */
    refusedShare,

    /** Whether a limit on requests in progress was met since the last call. */
    takeLimitMet(): boolean {
      const wasMet = isLimitMet;
      isLimitMet = false;
      return wasMet;
    },

    /** Has `handle` answer what is not refused. */
    shed(handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>): RequestListener {
      return (request, response) => {
        const kind = kindOf(request.url!);
        const refuse = refusalFor(kind);
        if (refuse === undefined) {
          void track(kind, handle(request, response));
          return;
        }
        if (kind !== 'operators') refused[kind] += 1;
        refuse(response);
      };
    },
  };
}

type Kind = 'api' | 'redirects' | 'pages' | 'operators';

function kindOf(url: string): Kind {
  if (readShortCode(shortCodeOf(url)) !== undefined) return 'redirects';
  if (url.startsWith('/api/')) return 'api';
  return isForOperators(url) ? 'operators' : 'pages';
}
