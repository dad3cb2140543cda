import { Agent } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { getStatus } from '../../support/http/get-status.ts';
import type { Click } from './clicks.ts';

/** How long a client waits that a busy process has refused. */
const refusedMs = 50;

/** Clients that keep their connections to one web process. */
export function createClients(options: {
  baseUrl: string;
  count: number;
  /** The time on the clock of that process. */
  now: () => number;
  /** A redirect has come, of a request that was sent between these two moments. */
  onRedirect: (click: Click, begunAt: number, endedAt: number) => void;
  onProblem: (problem: string) => void;
}) {
  const { baseUrl, count, now, onRedirect, onProblem } = options;
  const agent = new Agent({ keepAlive: true, maxSockets: count });
  let refused = 0;

  async function follow(click: Click): Promise<void> {
    const { shortCode, person, referrer } = click;
    const headers =
      referrer.header === undefined ? person.headers : { ...person.headers, Referer: referrer.header };
    for (;;) {
      const begunAt = now();
      const outcome = await getStatus(`${baseUrl}/${shortCode}`, agent, headers);
      if (outcome === 301) return onRedirect(click, begunAt, now());
      // Whether it was counted nobody knows.
      if (outcome !== 503) return onProblem(`a request ended with ${outcome}`);
      refused += 1;
      await delay(refusedMs);
    }
  }

  return {
    /** Sends what `next` gives until it gives nothing; resolves when every answer is there. */
    async send(next: () => Click | undefined): Promise<void> {
      const runClient = async () => {
        for (let click = next(); click; click = next()) await follow(click);
      };
      await Promise.all(Array.from({ length: count }, runClient));
    },

    /** Answers of a process that was too busy; these requests were sent again. */
    get refused() {
      return refused;
    },

    leave: () => agent.destroy(),
  };
}
