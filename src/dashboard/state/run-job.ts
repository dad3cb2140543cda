import { call, get } from '../api/client.ts';
import { operationsTexts as texts } from '../texts/en/operations.ts';
import { say, sayProblem } from './messages.ts';

const pollMs = 500;
/** A job that waits longer needs a worker, which the page shows as a trouble. */
const patienceMs = 60_000;

const wait = async (ms: number) => await new Promise((resolve) => setTimeout(resolve, ms));

/** Runs a job, and says how it ends. */
export async function runJob(name: string): Promise<void> {
  try {
    const { body } = await call('post', '/api/v1/jobs/{name}', { params: { name }, body: {} });
    say(texts.started(name));
    const until = performance.now() + patienceMs;
    while (performance.now() < until) {
      await wait(pollMs);
      const job = await get('/api/v1/jobs/{name}/{id}', { params: { name, id: body.id } });
      if (job.state === 'completed') return say(texts.finished(name));
      if (job.state === 'failed') return say(texts.failed(name, job.error ?? ''), { isProblem: true });
    }
  } catch (error) {
    sayProblem(error);
  }
}
