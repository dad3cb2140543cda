import { Agent } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { getStatus } from '../http/get-status.ts';

/** What clients saw of their redirects, per short code. */
export interface Tally {
  /** Requests whose sending was begun, counted before. */
  sent: Map<string, number>;
  /** Requests whose redirect has arrived. */
  answered: Map<string, number>;
  /** How long the answered ones took. */
  latenciesMs: number[];
  /** Everything else that happened to a request, except that nobody listened any more. */
  failures: string[];
  /** Requests that were not sent, since nobody listened. */
  refused: number;
}

interface LoadOptions {
  clients?: number;
  /** The short code of the next request; each of the codes in turn by default. */
  pick?: () => string;
  /** The headers of the next request; none of its own by default. */
  headers?: () => Record<string, string>;
  /** The pause of a client after each answer; none by default. */
  thinkMs?: () => number;
  /** Whether clients keep their connection, which they do by default; otherwise each request takes a new one. */
  keepAlive?: boolean;
}

/** How long a client waits that was refused. */
const refusedMs = 20;

/** Sends a redirect for each of the codes, shared out between clients that keep their connection. */
export async function sendRedirects(baseUrl: string, codes: string[], clients = 20): Promise<Tally> {
  const waiting = [...codes];
  const tally = emptyTally();
  await Promise.all(
    Array.from({ length: clients }, async () => {
      const client = createVisitor(tally);
      for (let code = waiting.pop(); code !== undefined; code = waiting.pop()) {
        if (!(await client.visit(baseUrl, code))) break;
      }
      client.leave();
    }),
  );
  return tally;
}

/** Clients that keep their connection and follow one short code after the other until nobody listens or they are told to
 *  stop. `tally` grows while they run. */
export function startLoad(baseUrl: string, codes: string[], clients = 20) {
  return runLoad([baseUrl], codes, { clients, untilRefused: true });
}

/** Such clients, which alternate between web processes, go on to the next one where they are refused, and only end when they
 *  are told to. */
export function startLoadOnAll(baseUrls: string[], codes: string[], options: LoadOptions) {
  return runLoad(baseUrls, codes, { ...options, untilRefused: false });
}

function runLoad(baseUrls: string[], codes: string[], options: LoadOptions & { untilRefused: boolean }) {
  let turn = 0;
  const { clients = 20, pick = () => codes[turn++ % codes.length]!, thinkMs, untilRefused } = options;
  const tally = emptyTally();
  const stopping = new AbortController();
  const runClient = async (_: unknown, number: number) => {
    const visitor = createVisitor(tally, options);
    for (let i = number; !stopping.signal.aborted; i++) {
      const heard = await visitor.visit(baseUrls[i % baseUrls.length]!, pick());
      if (!heard && untilRefused) break;
      if (!heard) await delay(refusedMs);
      if (thinkMs) await delay(thinkMs());
    }
    visitor.leave();
  };
  const ended = Promise.all(Array.from({ length: clients }, runClient)).then(() => tally);
  return {
    tally,
    answeredInAll: () => countAll(tally.answered),
    /** Resolves when no client has anything left to send, which is so when the service is gone. */
    ended,
    stop: async () => {
      stopping.abort();
      return await ended;
    },
  };
}

export const countAll = (counts: Map<string, number>) =>
  [...counts.values()].reduce((sum, count) => sum + count, 0);

const emptyTally = (): Tally => ({
  sent: new Map(),
  answered: new Map(),
  latenciesMs: [],
  failures: [],
  refused: 0,
});
const add = (counts: Map<string, number>, code: string, number: number) =>
  counts.set(code, (counts.get(code) ?? 0) + number);

/** A client that keeps one connection per web process, or none, and notes in `tally` what it saw. */
function createVisitor(tally: Tally, { keepAlive = true, headers }: LoadOptions = {}) {
  const agent = new Agent({ keepAlive, maxSockets: 1 });
  return {
    /** Resolves to whether anybody listened. */
    async visit(baseUrl: string, code: string): Promise<boolean> {
      add(tally.sent, code, 1);
      const start = performance.now();
      const outcome = await getStatus(`${baseUrl}/${code}`, agent, headers?.());
      if (outcome === 'ECONNREFUSED') {
        // Nothing was written.
        add(tally.sent, code, -1);
        tally.refused += 1;
        return false;
      }
      if (outcome === 301) {
        add(tally.answered, code, 1);
        tally.latenciesMs.push(performance.now() - start);
      } else {
        tally.failures.push(String(outcome));
      }
      return true;
    },
    leave: () => agent.destroy(),
  };
}
