import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** Longer than a load balancer's, so that it is never us who closes a connection that it is about to use. */
const keepAliveTimeoutMs = 75_000;
const headersTimeoutMs = 10_000;
const requestTimeoutMs = 15_000;
const pollMs = 50;

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
  server.on('request', (request, response) => {
    if (closing) response.setHeader('Connection', 'close');
    handler(request, response);
  });
  server.listen(options.port, options.host);
  await once(server, 'listening');

  const countConnections = async () =>
    await new Promise<number>((resolve, reject) => {
      server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
    });

  return {
    port: (server.address() as AddressInfo).port,

    /** Ends without failing a request: for a while every answer says good-bye to its connection, so that clients move on by
     *  themselves; then nothing new is accepted, what is idle is closed, and what is in hand is answered. */
    async close(): Promise<void> {
      closing = true;
      const graceEnds = performance.now() + options.graceMs;
      while (performance.now() < graceEnds && (await countConnections()) > 0) await delay(pollMs);
      const closed = once(server, 'close');
      server.close();
      const idle = setInterval(() => server.closeIdleConnections(), pollMs);
      await closed;
      clearInterval(idle);
    },
  };
}
