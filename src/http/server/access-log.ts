import type { RequestListener, ServerResponse } from 'node:http';
import type { WebConfig } from '../../config/web.ts';
import type { Log } from '../../log.ts';
import { toLoggedPath } from './logged-path.ts';

/** Answers as `answer` does, and logs a line for the requests that are wanted: method, path without query, status (null where
 *  the client went away first) and how many ms it took. Never who asked. */
export function logAccess(
  answer: RequestListener,
  { config, log }: { config: Pick<WebConfig, 'ACCESS_LOG' | 'ACCESS_LOG_SAMPLE'>; log: Log },
): RequestListener {
  if (config.ACCESS_LOG === 'off') return answer;
  // It is wanted whatever else is logged.
  const accessLog = log.child({}, { level: 'info' });
  const isWanted = createChoice(config.ACCESS_LOG, config.ACCESS_LOG_SAMPLE);

  return (request, response) => {
    const start = performance.now();
    response.on('close', () => {
      if (!isWanted(response)) return;
      const ms = Math.round((performance.now() - start) * 10) / 10;
      const status = response.writableFinished ? response.statusCode : null;
      accessLog.info({ method: request.method, path: pathOf(request.url!), status, ms }, 'request');
    });
    answer(request, response);
  };
}

function createChoice(which: 'errors' | 'sampled' | 'all', sample: number) {
  let requests = 0;
  if (which === 'errors') return (response: ServerResponse) => response.statusCode >= 500;
  if (which === 'sampled') return () => requests++ % sample === 0;
  return () => true;
}

/** A request line may name something else than a path, with a password in it. */
function pathOf(url: string): string | null {
  return url.startsWith('/') ? toLoggedPath(url) : null;
}
