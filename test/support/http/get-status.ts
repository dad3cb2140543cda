import { type Agent, request } from 'node:http';
import { readSlowness } from '../processes/slowness.ts';

/** A request without an answer for so long, times the slowness of the machine, has failed. */
const patienceMs = 30_000;

/** The status of the answer to a GET, or the code of the error that there was instead. */
export async function getStatus(
  url: string,
  agent: Agent,
  headers: Record<string, string> = {},
): Promise<number | string> {
  const limitMs = patienceMs * readSlowness();
  return await new Promise((resolve) => {
    const onError = (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message);
    const sent = request(url, { agent, headers, timeout: limitMs }, (response) => {
      response.on('error', onError);
      response.on('end', () => resolve(response.statusCode ?? 0));
      response.resume();
    });
    sent.on('timeout', () => sent.destroy(new Error(`no answer within ${limitMs} ms`)));
    sent.on('error', onError).end();
  });
}
