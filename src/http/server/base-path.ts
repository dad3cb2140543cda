import type { RequestListener } from 'node:http';

/** The path of the base URL without a slash at its end; empty where it has none. */
export const basePathOf = (baseUrl: string): string => new URL(baseUrl).pathname.replace(/\/$/, '');

/** Answers a request below the base path as the request for the rest of its path. Requests outside it are answered too: probes ask the
 *  process itself, and a reverse proxy may have removed the base path. */
export function withoutBasePath(basePath: string, answer: RequestListener): RequestListener {
  if (basePath === '') return answer;
  return (request, response) => {
    request.url = belowBasePath(request.url!, basePath);
    answer(request, response);
  };
}

/** A request's target without the base path; the target itself where it is not below that. */
export function belowBasePath(target: string, basePath: string): string {
  if (!target.startsWith(basePath)) return target;
  const rest = target.slice(basePath.length);
  if (rest === '' || rest.startsWith('?')) return `/${rest}`;
  return rest.startsWith('/') ? rest : target;
}
