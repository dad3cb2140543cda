import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';

/** Longer than a load balancer's, so that it is never us who closes a connection that it is about to use. */
const keepAliveTimeoutMs = 75_000;
const headersTimeoutMs = 10_000;
const requestTimeoutMs = 15_000;
const pollMs = 50;
/** Turns of the event loop without a new connection after which nobody waits to be accepted: each turn accepts one. */
const quietTurns = 5;
/** A client that has just been answered is about to connect again; after so long it is not. */
const reconnectMs = 100;
const quietDeadlineMs = 1_000;
/** How long a request may take, once nothing new is accepted, before its connection is cut all the same. */
const lastAnswerMs = 5_000;
/** How long a connection may be silent, once nothing new is accepted, before it is cut: a browser opens some in advance. */
const silentMs = 1_000;

/** Serves requests until closed. Rejects when the address cannot be listened on. */
export async function listen(
  handler: RequestListener,
  options: { port: number; host: string; graceMs: number },
) {
  const server = createServer({
    keepAliveTimeout: keepAliveTimeoutMs,
    headersTimeout: headersTimeoutMs,
    requestTimeout: requestTimeoutMs,
  });
  let closing = false;
  let connections = 0;
  let inHand = 0;
  server.on('connection', () => (connections += 1));
  server.on('request', (request, response) => {
    inHand += 1;
    response.on('close', () => (inHand -= 1));
    if (closing) response.setHeader('Connection', 'close');
    handler(request, response);
  });
  server.listen(options.port, options.host);
  await once(server, 'listening');

  const countConnections = async () =>
    await new Promise<number>((resolve, reject) => {
      server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
    });

  /** Resolves at a moment at which no connection waits to be accepted: one that did would be reset. */
  async function waitForQuiet(): Promise<void> {
    const deadline = performance.now() + quietDeadlineMs;
    let seen = connections;
    let seenAt = performance.now();
    for (let turns = 0; turns < quietTurns && performance.now() < deadline;) {
      await nextTurn();
      const isNobodyAbout = inHand > 0 || performance.now() > seenAt + reconnectMs;
      turns = connections === seen && isNobodyAbout ? turns + 1 : 0;
      if (connections === seen) continue;
      seen = connections;
      seenAt = performance.now();
    }
  }

  return {
    port: (server.address() as AddressInfo).port,

    /** Ends without failing a request: for a while every answer says good-bye to its connection, so that clients move on by
     *  themselves; then nothing new is accepted, what is idle is closed, and what is in hand is answered. */
    async close(): Promise<void> {
      closing = true;
      const graceEnds = performance.now() + options.graceMs;
      while (performance.now() < graceEnds && (await countConnections()) > 0) await delay(pollMs);
      await waitForQuiet();
      const closed = once(server, 'close');
      server.close();
      const closedAt = performance.now();
      const idle = setInterval(() => {
        server.closeIdleConnections();
        const patienceMs = inHand === 0 ? silentMs : lastAnswerMs;
        if (performance.now() > closedAt + patienceMs) server.closeAllConnections();
      }, pollMs);
      await closed;
      clearInterval(idle);
    },
  };
}
