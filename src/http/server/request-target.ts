import type { RequestListener } from 'node:http';

/** Scheme and authority of a whole URL that has a path. */
const beforePath = /^[a-z][a-z\d+.-]*:\/\/(?:\[[^\]/?#]*\]|[^[/?#])*(?=\/)/i;

/** Answers a request that names a whole URL, as if to a proxy (`GET http://host/path`), as the request for its path that it is, in
 *  the eyes of all who look at it. */
export function withPathOnly(answer: RequestListener): RequestListener {
  return (request, response) => {
    const target = request.url!;
    if (!target.startsWith('/')) request.url = target.replace(beforePath, '');
    answer(request, response);
  };
}
