import type { RequestListener } from 'node:http';

/** The path of the base URL without a slash at its end; empty where it has none. */
export const basePathOf = (baseUrl: string): string => new URL(baseUrl).pathname.replace(/\/$/, '');

/** Answers a request below the base path as the request for the rest of its path. Requests outside it are answered too: probes ask the
 *  process itself, and a reverse proxy may have removed the base path. */
export function withoutBasePath(basePath: string, answer: RequestListener): RequestListener {
  if (basePath === '') return answer;
  return (request, response) => {
    const target = request.url!;
    if (target.startsWith(basePath)) {
      const rest = target.slice(basePath.length);
      if (rest === '' || rest.startsWith('?')) request.url = `/${rest}`;
      else if (rest.startsWith('/')) request.url = rest;
    }
    answer(request, response);
  };
}
