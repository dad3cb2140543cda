import { Agent, request } from 'node:http';

/** What clients saw of their redirects, per short code. */
export interface Tally {
  /** Requests whose sending was begun, counted before. */
  sent: Map<string, number>;
  /** Requests whose redirect has arrived. */
  answered: Map<string, number>;
  /** Everything else that happened to a request, except that nobody listened any more. */
  failures: string[];
}

/** Sends a redirect for each of the codes, shared out between clients that keep their connection. */
export async function sendRedirects(baseUrl: string, codes: string[], clients = 20): Promise<Tally> {
  const waiting = [...codes];
  return await runClients(baseUrl, clients, () => waiting.pop());
}

/** Clients that keep their connection and follow one short code after the other until nobody listens or they are told to
 *  stop. `tally` grows while they run. */
export function startLoad(baseUrl: string, codes: string[], clients = 20) {
  const tally = emptyTally();
  let stopped = false;
  let turn = 0;
  const next = () => (stopped ? undefined : codes[turn++ % codes.length]);
  const ended = runClients(baseUrl, clients, next, tally);
  return {
    tally,
    answeredInAll: () => [...tally.answered.values()].reduce((sum, count) => sum + count, 0),
    /** Resolves when no client has anything left to send, which is so when the service is gone. */
    ended,
    stop: async () => {
      stopped = true;
      return await ended;
    },
  };
}

const emptyTally = (): Tally => ({ sent: new Map(), answered: new Map(), failures: [] });
const addOne = (counts: Map<string, number>, code: string) => counts.set(code, (counts.get(code) ?? 0) + 1);

async function runClients(
  baseUrl: string,
  clients: number,
  next: () => string | undefined,
  tally: Tally = emptyTally(),
): Promise<Tally> {
  const runClient = async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let code = next(); code !== undefined; code = next()) {
      addOne(tally.sent, code);
      const outcome = await getStatus(`${baseUrl}/${code}`, agent);
      if (outcome === 'ECONNREFUSED') break;
      if (outcome === 301) addOne(tally.answered, code);
      else tally.failures.push(String(outcome));
    }
    agent.destroy();
  };
  await Promise.all(Array.from({ length: clients }, runClient));
  return tally;
}

/** The status of the answer, or the code of the error that there was instead. */
async function getStatus(url: string, agent: Agent): Promise<number | string> {
  return await new Promise((resolve) => {
    const onError = (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message);
    request(url, { agent }, (response) => {
      response.on('error', onError);
      response.on('end', () => resolve(response.statusCode ?? 0));
      response.resume();
    })
      .on('error', onError)
      .end();
  });
}
