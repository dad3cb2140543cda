import { Agent } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { getStatus } from '../../support/http/get-status.ts';
import type { Click } from './clicks.ts';

/** How long a client waits after a busy process rejected its request. */
const refusedMs = 50;

/** Creates clients with persistent connections to one web process. */
export function createClients(options: {
  baseUrl: string;
  count: number;
  /** Current time of the process. */
  now: () => number;
  /** Called for each redirect, with the times before and after the request. */
  onRedirect: (click: Click, begunAt: number, endedAt: number) => void;
  onProblem: (problem: string) => void;
}) {
  const { baseUrl, count, now, onRedirect, onProblem } = options;
  const agent = new Agent({ keepAlive: true, maxSockets: count });
  let refused = 0;

  async function follow(click: Click): Promise<void> {
    const { shortCode, visitor, referrer } = click;
    const headers =
      referrer.header === undefined ? visitor.headers : { ...visitor.headers, Referer: referrer.header };
    for (;;) {
      const begunAt = now();
      const outcome = await getStatus(`${baseUrl}/${shortCode}`, agent, headers);
      if (outcome === 301) return onRedirect(click, begunAt, now());
      // It is unknown whether the click was counted.
      if (outcome !== 503) return onProblem(`a request ended with ${outcome}`);
      refused += 1;
      await delay(refusedMs);
    }
  }

  return {
    /** Sends requests until `next` returns undefined; resolves when all are answered. */
    async send(next: () => Click | undefined): Promise<void> {
      const runClient = async () => {
        for (let click = next(); click; click = next()) await follow(click);
      };
      await Promise.all(Array.from({ length: count }, runClient));
    },

    /** Number of rejected requests, which were repeated. */
    get refused() {
      return refused;
    },

    close: () => agent.destroy(),
  };
}
