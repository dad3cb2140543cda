import { type Agent, request } from 'node:http';

/** A request without an answer for so long has failed. */
const patienceMs = 30_000;

/** The status of the answer to a GET, or the code of the error that there was instead. */
export async function getStatus(
  url: string,
  agent: Agent,
  headers: Record<string, string> = {},
): Promise<number | string> {
  return await new Promise((resolve) => {
    const onError = (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message);
    const sent = request(url, { agent, headers, timeout: patienceMs }, (response) => {
      response.on('error', onError);
      response.on('end', () => resolve(response.statusCode ?? 0));
      response.resume();
    });
    sent.on('timeout', () => sent.destroy(new Error(`no answer within ${patienceMs} ms`)));
    sent.on('error', onError).end();
  });
}
