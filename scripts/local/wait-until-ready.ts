import { waitUntil } from '../services/processes.ts';

const withinMs = 60_000;

/** Resolves when the service is ready; throws an Error with its last answer after the time limit. */
export async function waitUntilReady(url: string): Promise<void> {
  let answer = 'no answer';
  const isReady = async () => {
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
      answer = `${response.status} ${await response.text()}`;
      return response.status === 200;
    } catch (error) {
      answer = String(error instanceof Error ? (error.cause ?? error) : error);
      return false;
    }
  };
  if (!(await waitUntil(isReady, withinMs))) throw new Error(`${url} is not ready: ${answer}`);
}
