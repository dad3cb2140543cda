import type { RequestListener } from 'node:http';

/** The path of the base URL without a trailing slash; may be empty. */
export const basePathOf = (baseUrl: string): string => new URL(baseUrl).pathname.replace(/\/$/, '');

/** Removes the base path from request targets. Targets outside it are accepted too: probes address the process directly, and a
 *  reverse proxy may have removed the base path. */
export function removeBasePath(basePath: string, next: RequestListener): RequestListener {
  if (basePath === '') return next;
  return (request, response) => {
    request.url = stripBasePath(request.url!, basePath);
    next(request, response);
  };
}

/** A request target without the base path; unchanged if it is outside. */
export function stripBasePath(target: string, basePath: string): string {
  if (!target.startsWith(basePath)) return target;
  const rest = target.slice(basePath.length);
  if (rest === '' || rest.startsWith('?')) return `/${rest}`;
  return rest.startsWith('/') ? rest : target;
}
