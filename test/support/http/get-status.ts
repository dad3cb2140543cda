import { type Agent, request } from 'node:http';
import { readSlowness } from '../processes/slowness.ts';

/** Time limit of a request, times the slowness of the machine. */
const timeoutMs = 30_000;

/** The status of a GET, or the code of its error. */
export async function getStatus(
  url: string,
  agent: Agent,
  headers: Record<string, string> = {},
): Promise<number | string> {
  const limitMs = timeoutMs * readSlowness();
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
