import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { type AddressInfo, Server as NetServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { basePathOf, stripBasePath } from '../base-path.ts';
import {
  type Connection,
  type ConnectionCounts,
  type ConnectionLimits,
  createConnectionCounts,
  watchConnections,
} from '../connections/connections.ts';
import { answerInOrder } from '../connections/pipelining.ts';
import { drainUnreadBodies } from '../connections/unread-bodies.ts';
import { answerClientErrors, rejectConnect } from './client-errors.ts';
import { isOperatorPath } from './operator-paths.ts';
import { createRejection } from './rejection.ts';

/** Longer than that of load balancers (60 s), so that the server never closes a connection that a load balancer is about to use. */
const keepAliveTimeoutMs = 75_000;
const headersTimeoutMs = 10_000;
const requestTimeoutMs = 15_000;
/** How often Node checks the two time-outs above. */
const timeoutCheckMs = 1_000;
const pollMs = 50;
/** During shutdown, a connection without requests is closed after this time: a busy client sends one much sooner, and browsers open
 *  connections in advance. */
const idleCloseMs = 1_000;
/** During shutdown, the connection of a request in progress is closed after this time. */
const forceCloseMs = 5_000;

export interface ListenOptions {
  port: number;
  host: string;
  /** How long after `close` new connections are still accepted, in milliseconds. */
  graceMs: number;
  limits: ConnectionLimits;
  /** Pipelined requests of all connections together that may wait. */
  maxWaiting: number;
  /** Its path is also a prefix of the paths of operators; undefined in a process without a base URL. */
  baseUrl: string | undefined;
  /** Receives the counts of the connections. */
  counts?: ConnectionCounts;
  /** Is called once a second with whether the connection limit was reached since the last call. */
  onCheck?: (isLimitMet: boolean) => void;
}

/** Serves requests until closed, pipelined ones in order. Rejects if it cannot listen on the address. */
export async function listen(handler: RequestListener, options: ListenOptions) {
  const server = createServer({
    keepAliveTimeout: keepAliveTimeoutMs,
    headersTimeout: headersTimeoutMs,
    requestTimeout: requestTimeoutMs,
    connectionsCheckingInterval: timeoutCheckMs,
  });
  // A client may close its sending side, as `nc -N` does, and still wait for responses. The connection ends with the last one.
  Object.assign(server, { httpAllowHalfOpen: true });
  let accepting = true;
  const { limits, baseUrl, counts = createConnectionCounts(), onCheck = () => undefined } = options;
  const basePath = baseUrl === undefined ? '' : basePathOf(baseUrl);
  const tooManyConnections = createRejection('Too many connections are open.', baseUrl, {
    Connection: 'close',
  });
  const connections = watchConnections(server, { limits, counts, onCheck });
  const serialize = answerInOrder(serve, { connections, maxWaiting: options.maxWaiting });
  const handle = drainUnreadBodies(handler);
  server.on('request', serialize);
  // Without this listener Node sends 100 Continue before a handler decides to read the body.
  server.on('checkContinue', serialize);
  answerClientErrors(server, connections, baseUrl);
  rejectConnect(server, connections, baseUrl);
  server.listen(options.port, options.host);
  await once(server, 'listening');

  function serve(request: IncomingMessage, response: ServerResponse, { isSurplus }: Connection): void {
    if (!accepting || isSurplus || requestsUpgrade(request)) response.setHeader('Connection', 'close');
    if (isSurplus && !isOperatorPath(stripBasePath(request.url!, basePath))) {
      connections.countRejected();
      tooManyConnections(response);
    } else handle(request, response);
  }

  /** Closes idle connections. Node counts a connection without any request as busy. */
  function closeIdle() {
    server.closeIdleConnections();
    for (const { socket } of connections.all()) if (socket.bytesRead === 0) socket.destroy();
  }

  return {
    port: (server.address() as AddressInfo).port,

    /** Closes without failing a request. For `graceMs` everything is still served, so that load balancers notice that the process is not
     *  ready. Then no connection is accepted, and the next response closes its connection: a request may be in flight on an idle one. */
    async close(): Promise<void> {
      const graceEnds = performance.now() + options.graceMs;
      while (performance.now() < graceEnds && counts.open > 0) await delay(pollMs);
      const closed = once(server, 'close');
      accepting = false;
      // http.Server.close would also close idle connections at once, on which a request may be in flight (Node.js ≥ 19).
      NetServer.prototype.close.call(server);
      const closedAt = performance.now();
      const closeTimer = setInterval(() => {
        const elapsedMs = performance.now() - closedAt;
        if (elapsedMs > idleCloseMs) closeIdle();
        if (elapsedMs > forceCloseMs) server.closeAllConnections();
      }, pollMs);
      await closed;
      clearInterval(closeTimer);
    },
  };
}

/** Whether a client requests another protocol. The upgrade is ignored, but Node discards the bytes that follow such a request. */
const requestsUpgrade = ({ headers }: IncomingMessage) =>
  headers.upgrade !== undefined && /\bupgrade\b/i.test(headers.connection ?? '');
