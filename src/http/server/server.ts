import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { type AddressInfo, Server as NetServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type Connection,
  type ConnectionCounts,
  type ConnectionLimits,
  createConnectionCounts,
  watchConnections,
} from '../connections/connections.ts';
import { answerInTurn } from '../connections/pipelining.ts';
import { withBodiesRead } from '../connections/unread-bodies.ts';
import { belowBasePath } from './base-path.ts';
import { answerUnreadable, refuseTunnels } from './client-errors.ts';
import { isForOperators } from './operator-paths.ts';
import { createRejection } from './refusal.ts';

/** Longer than a load balancer's, so that it is never us who closes a connection that it is about to use. */
const keepAliveTimeoutMs = 75_000;
const headersTimeoutMs = 10_000;
const requestTimeoutMs = 15_000;
/** How often Node looks for connections past these. */
const timeoutCheckMs = 1_000;
const pollMs = 50;
/** How long a connection may be silent, once nothing new is accepted, before it is closed: a busy client is heard of much
 *  sooner, a browser opens some in advance. */
const silentMs = 1_000;
/** How long a request may take, once nothing new is accepted, before its connection is cut all the same. */
const lastAnswerMs = 5_000;

const tooManyConnections = createRejection('Too many connections are open.', { Connection: 'close' });

export interface ListenOptions {
  port: number;
  host: string;
  /** Time after `close` in which everything is still served, in milliseconds. */
  graceMs: number;
  limits: ConnectionLimits;
  /** Requests of all connections that may wait for those before them on their connections. */
  maxWaiting: number;
  /** Path of the base URL, below which operators' paths are as well. */
  basePath?: string;
  /** Where its connections are counted. */
  counts?: ConnectionCounts;
  /** Called once a second with whether the limit of connections was met since the last call. */
  onCheck?: (isLimitMet: boolean) => void;
}

/** Serves requests until closed, those of a connection one after the other. Rejects when the address cannot be listened on. */
export async function listen(handler: RequestListener, options: ListenOptions) {
  const server = createServer({
    keepAliveTimeout: keepAliveTimeoutMs,
    headersTimeout: headersTimeoutMs,
    requestTimeout: requestTimeoutMs,
    connectionsCheckingInterval: timeoutCheckMs,
  });
  // A client may close its sending side, as `nc -N` does, and still wait for its answers. The connection ends with the last one.
  Object.assign(server, { httpAllowHalfOpen: true });
  let accepting = true;
  const { limits, basePath = '', counts = createConnectionCounts(), onCheck = () => undefined } = options;
  const connections = watchConnections(server, { limits, counts, onCheck });
  const answer = answerInTurn(answerOne, { connections, maxWaiting: options.maxWaiting });
  const handle = withBodiesRead(handler);
  server.on('request', answer);
  // Otherwise Node sends 100 Continue before it is known whether the body is wanted.
  server.on('checkContinue', answer);
  answerUnreadable(server, connections);
  refuseTunnels(server, connections);
  server.listen(options.port, options.host);
  await once(server, 'listening');

  function answerOne(request: IncomingMessage, response: ServerResponse, { isSurplus }: Connection): void {
    if (!accepting || isSurplus || asksForUpgrade(request)) response.setHeader('Connection', 'close');
    if (isSurplus && !isForOperators(belowBasePath(request.url!, basePath))) {
      connections.noteRefused();
      tooManyConnections(response);
    } else handle(request, response);
  }

  /** Closes what no request has come on for now. Node counts a connection as busy on which none ever has. */
  function closeSilent() {
    server.closeIdleConnections();
    for (const { socket } of connections.all()) if (socket.bytesRead === 0) socket.destroy();
  }

  return {
    port: (server.address() as AddressInfo).port,

    /** Ends without failing a request. For a while all goes on, so that load balancers can see that the process is not
     *  ready any more. Then nothing new is accepted, and each connection is closed by its next answer: while it is silent, its
     *  next request may be on its way. */
    async close(): Promise<void> {
      const graceEnds = performance.now() + options.graceMs;
      while (performance.now() < graceEnds && counts.open > 0) await delay(pollMs);
      const closed = once(server, 'close');
      accepting = false;
      // Without what Node's HTTP server does besides: to close connections that are silent at this moment.
      NetServer.prototype.close.call(server);
      const closedAt = performance.now();
      const windUp = setInterval(() => {
        const elapsedMs = performance.now() - closedAt;
        if (elapsedMs > silentMs) closeSilent();
        if (elapsedMs > lastAnswerMs) server.closeAllConnections();
      }, pollMs);
      await closed;
      clearInterval(windUp);
    },
  };
}

/** Whether a client offers another protocol. It is not accepted, but Node discards what it has read behind such a request. */
const asksForUpgrade = ({ headers }: IncomingMessage) =>
  headers.upgrade !== undefined && /\bupgrade\b/i.test(headers.connection ?? '');
