import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, Server as NetServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { answerUnreadable } from './unreadable-requests.ts';

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

/** Serves requests until closed. Rejects when the address cannot be listened on. */
export async function listen(
  handler: RequestListener,
  options: { port: number; host: string; graceMs: number },
) {
  const server = createServer({
    keepAliveTimeout: keepAliveTimeoutMs,
    headersTimeout: headersTimeoutMs,
    requestTimeout: requestTimeoutMs,
    connectionsCheckingInterval: timeoutCheckMs,
  });
  let accepting = true;
  const connections = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    connections.add(socket);
    socket.on('close', () => connections.delete(socket));
  });
  server.on('request', (request, response) => {
    if (!accepting) response.setHeader('Connection', 'close');
    handler(request, response);
  });
  answerUnreadable(server);
  server.listen(options.port, options.host);
  await once(server, 'listening');

  /** Closes what no request has come on for now. Node counts a connection as busy on which none ever has. */
  function closeSilent() {
    server.closeIdleConnections();
    for (const socket of connections) if (socket.bytesRead === 0) socket.destroy();
  }

  return {
    port: (server.address() as AddressInfo).port,

    /** Ends without failing a request. For a while all goes on, so that load balancers can see that the process is not
     *  ready any more. Then nothing new is accepted, and each connection is closed by its next answer: while it is silent, its
     *  next request may be on its way. */
    async close(): Promise<void> {
      const graceEnds = performance.now() + options.graceMs;
      while (performance.now() < graceEnds && connections.size > 0) await delay(pollMs);
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
