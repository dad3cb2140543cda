import type { RequestListener, ServerResponse } from 'node:http';
import type { WebConfig } from '../../config/web.ts';
import type { Log } from '../../log.ts';
import { toLoggedPath } from './logged-path.ts';

/** Logs requests as `ACCESS_LOG` selects: method, path without query, status (null if the client disconnected early) and duration in
 *  ms. Never logs client addresses. */
export function logAccess(
  next: RequestListener,
  { config, log }: { config: Pick<WebConfig, 'ACCESS_LOG' | 'ACCESS_LOG_SAMPLE'>; log: Log },
): RequestListener {
  if (config.ACCESS_LOG === 'off') return next;
  // Independent of LOG_LEVEL.
  const accessLog = log.child({}, { level: 'info' });
  const isSelected = createFilter(config.ACCESS_LOG, config.ACCESS_LOG_SAMPLE);

  return (request, response) => {
    const start = performance.now();
    response.on('close', () => {
      if (!isSelected(response)) return;
      const ms = Math.round((performance.now() - start) * 10) / 10;
      const status = response.writableFinished ? response.statusCode : null;
      accessLog.info({ method: request.method, path: pathOf(request.url!), status, ms }, 'request');
    });
    next(request, response);
  };
}

function createFilter(which: 'errors' | 'sampled' | 'all', sample: number) {
  let requests = 0;
  if (which === 'errors') return (response: ServerResponse) => response.statusCode >= 500;
  if (which === 'sampled') return () => requests++ % sample === 0;
  return () => true;
}

/** A target that is not a path may contain a password. */
function pathOf(url: string): string | null {
  return url.startsWith('/') ? toLoggedPath(url) : null;
}
