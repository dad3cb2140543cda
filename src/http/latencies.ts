import type { RequestListener, ServerResponse } from 'node:http';
import { isShortCode } from '../urls/short-code.ts';
import { codeOf } from './redirect.ts';

/** One redirect in so many is measured, about: measuring each would cost what it is there to find out. */
const sampled = 64;

/** Takes how long something took, in seconds. */
interface Observer {
  observe(seconds: number): void;
}

/** Answers as `answer` does, and measures how long redirects, a sample of them, and the answers of the API take from the request's
 *  headers to the answer's end. What a client did not wait for is not measured. */
export function measureLatencies(
  answer: RequestListener,
  { redirects, api }: { redirects: Observer; api: Observer },
): RequestListener {
  let left = nextGap();

  function measure(response: ServerResponse, observer: Observer, isMeant = (_status: number) => true) {
    const start = performance.now();
    response.on('finish', () => {
      if (isMeant(response.statusCode)) observer.observe((performance.now() - start) / 1_000);
    });
  }

  return (request, response) => {
    const url = request.url!;
    if (url.startsWith('/api/')) measure(response, api);
    else if (--left <= 0) {
      left = nextGap();
      if (isShortCode(codeOf(url))) measure(response, redirects, isRedirect);
    }
    answer(request, response);
  };
}

const isRedirect = (status: number) => status >= 300 && status < 400;

/** Requests until the next one that is measured: a gap that is always the same could always meet the same ones. */
const nextGap = () => 1 + Math.floor(Math.random() * (2 * sampled - 1));
