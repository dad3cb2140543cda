import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { EventLoopWatch } from '../event-loop.ts';
import { isShortCode } from '../urls/short-code.ts';
import { presentProblem, problemHeaders, unavailable } from './problem.ts';
import { codeOf } from './redirect.ts';

const retryAfterSeconds = 1;
/** Some always pass: those who try again at once may be all of the load, and what one visitor's look-up has found the others
 *  get by heart. */
const mostRefused = 0.9;

const tooBusy = refusalOf('The service is too busy.');
const tooManyInHand = refusalOf('Too many requests of the API are in hand.');

export type LoadShedding = ReturnType<typeof createLoadShedding>;

/** Refuses, with 503 and `Retry-After`, what a busy process has no time for, rather than let everything wait: requests of the
 *  API first, then redirects too. It stands behind what is answered by heart and ahead of Koa, since a refusal must cost
 *  little. Health, metrics and Bull Board are never refused. */
export function createLoadShedding(deps: {
  eventLoop: Pick<EventLoopWatch, 'pressure'>;
  /** Requests of the API that are worked on at once. */
  maxApiRequests: number;
}) {
  const { eventLoop, maxApiRequests } = deps;
  let inHand = 0;
  const refused = { api: 0, redirects: 0 };
  const refusedShare = () => ({
    api: Math.min(eventLoop.pressure, mostRefused),
    redirects: Math.min(Math.max(eventLoop.pressure - 1, 0), mostRefused),
  });

  function refuse(
    kind: Kind,
    response: ServerResponse,
    { headers, body }: ReturnType<typeof refusalOf>,
  ): void {
    refused[kind] += 1;
    response.writeHead(503, headers).end(body);
  }

  return {
    /** How many requests of each kind were refused. */
    refused: refused as Readonly<typeof refused>,

    /** The share of requests of each kind that is refused. */
    refusedShare,

    /** Has `handle` answer what is not refused. */
    shed(handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>): RequestListener {
      return (request, response) => {
        const kind = kindOf(request.url!);
        if (kind !== undefined && Math.random() < refusedShare()[kind]) refuse(kind, response, tooBusy);
        else if (kind !== 'api') void handle(request, response);
        else if (inHand >= maxApiRequests) refuse(kind, response, tooManyInHand);
        else {
          inHand += 1;
          // The end of the work counts, not that of the response: one that waits for its turn on a connection has none when
          // the client goes away.
          void handle(request, response).finally(() => (inHand -= 1));
        }
      };
    },
  };
}

type Kind = 'api' | 'redirects';

function kindOf(url: string): Kind | undefined {
  if (url.startsWith('/api/')) return 'api';
  return isShortCode(codeOf(url)) ? 'redirects' : undefined;
}

function refusalOf(detail: string) {
  const problem = unavailable(detail, retryAfterSeconds);
  const body = JSON.stringify(presentProblem(problem));
  const headers = {
    ...problem.headers,
    ...problemHeaders,
    'Content-Length': Buffer.byteLength(body),
  };
  return { headers, body };
}
