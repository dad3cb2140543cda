import type { RequestListener } from 'node:http';
import type { ConnectionCounts } from '../http/connections/connections.ts';
import { watchForwardedFor } from '../http/server/forwarded-for.ts';
import { listenHost } from '../http/server/listen-host.ts';
import type { LoadShedding } from '../http/server/load-shedding.ts';
import { listen } from '../http/server/server.ts';
import { readConnectionRoom } from '../resilience/process/open-files.ts';
import type { WebContext } from './stores/context.ts';

/** Connections to PostgreSQL and Redis in addition to `DATABASE_POOL_MAX`. */
const otherStoreConnections = 16;
/** Connections beyond the limit that get one response each, if the system allows them. */
const maxSurplus = 64;
/** Pipelined requests that wait, on all connections together, at about 2 kB each: as many as Node reads at once from a few dozen clients. */
const maxWaiting = 32_768;
/** How long a limit is reported after it was last reached: `/health` is read at long intervals. */
const reportMs = 10_000;

const untrustedProxy =
  'Requests come with X-Forwarded-For while TRUSTED_PROXY_HOPS is 0: all clients behind the proxy share one address, its rate limits and its password attempts. Set TRUSTED_PROXY_HOPS to the number of proxies.';

/** Accepts as many connections as the settings and the system allow, and reports reached limits as conditions. */
export async function listenForClients(
  { config, conditions, log }: WebContext,
  deps: { handler: RequestListener; loadShedding: LoadShedding; counts: ConnectionCounts },
) {
  const { loadShedding, counts } = deps;
  const forwarded = config.TRUSTED_PROXY_HOPS === 0 ? watchForwardedFor(deps.handler) : undefined;
  const room = readConnectionRoom(config.DATABASE_POOL_MAX + otherStoreConnections);
  const surplus = Math.min(maxSurplus, Math.ceil(room / 10));
  const max = Math.max(1, Math.min(config.MAX_CONNECTIONS, room - surplus));
  if (max < config.MAX_CONNECTIONS)
    log.warn({ maxConnections: max }, 'accepting fewer connections than MAX_CONNECTIONS: raise `ulimit -n`');

  const report = { connections: createReport(), requests: createReport() };
  return await listen(forwarded?.listener ?? deps.handler, {
    port: config.PORT,
    host: listenHost(config.HOST),
    graceMs: config.SHUTDOWN_DRAIN_MS,
    limits: { max, surplus },
    baseUrl: config.BASE_URL,
    maxWaiting,
    counts,
    onCheck(isLimitMet) {
      const tooManyConnections = `${max} connections are open, the limit of this process: idle ones are closed, new ones rejected. Find out which clients open them, or raise MAX_CONNECTIONS and \`ulimit -n\`.`;
      const tooManyRequests =
        'Requests are rejected because MAX_REQUESTS or MAX_API_REQUESTS are in progress. Find out whether a store is slow, or add web processes.';
      conditions.update('connection_limit', report.connections(isLimitMet) ? tooManyConnections : undefined);
      conditions.update(
        'request_limit',
        report.requests(loadShedding.takeLimitMet()) ? tooManyRequests : undefined,
      );
      if (forwarded?.isSeen()) conditions.set('proxy_untrusted', untrustedProxy);
    },
  });
}

/** Returns whether a limit was reached recently; takes whether it was reached since the last call. */
function createReport() {
  let reachedAt = -Infinity;
  return (isReached: boolean): boolean => {
    const now = performance.now();
    if (isReached) reachedAt = now;
    return now - reachedAt < reportMs;
  };
}
