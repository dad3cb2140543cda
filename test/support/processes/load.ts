import { Agent } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { getStatus } from '../http/get-status.ts';

/** The redirects of clients, per short code. */
export interface Tally {
  /** Requests that were started, counted before sending. */
  sent: Map<string, number>;
  /** Requests with a received redirect. */
  answered: Map<string, number>;
  /** Durations of the answered requests. */
  latenciesMs: number[];
  /** Other outcomes of requests, except refused connections. */
  failures: string[];
  /** Requests that were not sent, because the connection was refused. */
  refused: number;
}

interface LoadOptions {
  clients?: number;
  /** The short code of the next request; by default, the codes in turn. */
  pick?: () => string;
  /** Additional headers of the next request. */
  headers?: () => Record<string, string>;
  /** The pause of a client after each response; none by default. */
  thinkMs?: () => number;
  /** Whether clients reuse their connection (the default) or open one per request. */
  keepAlive?: boolean;
}

/** Pause of a client after a refused connection. */
const refusedMs = 20;

/** Requests a redirect for each of the codes, distributed over clients with persistent connections. */
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

/** Clients with persistent connections that request one short code after the other until no server listens or they are
 *  stopped. `tally` grows meanwhile. */
export function startLoad(baseUrl: string, codes: string[], clients = 20) {
  return runLoad([baseUrl], codes, { clients, untilRefused: true });
}

/** Clients that alternate between web processes, try the next one after a refused connection, and end only when
 *  stopped. */
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
    /** Resolves when all clients have ended, such as after the end of the service. */
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

/** A client with one connection per web process, or none, that records its results in `tally`. */
function createVisitor(tally: Tally, { keepAlive = true, headers }: LoadOptions = {}) {
  const agent = new Agent({ keepAlive, maxSockets: 1 });
  return {
    /** Resolves to whether the connection was accepted. */
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
