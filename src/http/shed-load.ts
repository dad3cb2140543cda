import type { IncomingMessage, ServerResponse } from 'node:http';
import type { EventLoopWatch } from '../event-loop.ts';
import { isShortCode } from '../urls/short-code.ts';
import { presentProblem, unavailable } from './errors.ts';
import { codeOf } from './redirect.ts';

const retryAfterSeconds = 1;
/** Some always pass: those who try again at once may be all of the load, and what one visitor's look-up has found the others
 *  get by heart. */
const mostRefused = 0.9;

const tooBusy = refusalOf('The service is too busy.');
const tooManyInHand = refusalOf('Too many requests of the API are in hand.');

type Refusal = ReturnType<typeof refusalOf>;

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

  function answer(response: ServerResponse, kind: keyof typeof refused, refusal: Refusal): true {
    refused[kind] += 1;
    response.writeHead(503, refusal.headers).end(refusal.body);
    return true;
  }

  return {
    /** The share of requests of each kind that is refused. */
    refusedShare,

    /** How many requests of each kind were refused. */
    refused: refused as Readonly<typeof refused>,

    /** Whether it has refused this request, and answered it. */
    refuse(request: IncomingMessage, response: ServerResponse): boolean {
      const kind = kindOf(request.url!);
      if (kind === undefined) return false;
      if (Math.random() < refusedShare()[kind]) return answer(response, kind, tooBusy);
      if (kind === 'redirects') return false;
      if (inHand >= maxApiRequests) return answer(response, kind, tooManyInHand);
      inHand += 1;
      response.on('close', () => (inHand -= 1));
      return false;
    },
  };
}

function kindOf(url: string): 'api' | 'redirects' | undefined {
  if (url.startsWith('/api/')) return 'api';
  return isShortCode(codeOf(url)) ? 'redirects' : undefined;
}

function refusalOf(detail: string) {
  const problem = unavailable(detail, retryAfterSeconds);
  const body = JSON.stringify(presentProblem(problem));
  const headers = {
    ...problem.headers,
    'Cache-Control': 'no-store',
    'Content-Type': 'application/problem+json; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
  };
  return { headers, body };
}
