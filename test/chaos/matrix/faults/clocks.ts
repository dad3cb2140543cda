import { waitUntil } from '../../../support/wait-until.ts';
import type { Fault } from '../fault.ts';
import { pause, type Stack } from '../stack.ts';

const minuteSeconds = 60;
const daySeconds = 24 * 60 * minuteSeconds;
const offsets = [3 * daySeconds, -10 * minuteSeconds];

/** A clock counts as moved when it is wrong by as much as this. */
const isFarFromNow = (time: number) => Math.abs(time - Date.now()) > 5 * minuteSeconds * 1_000;

/** Whether the first web process says so in its answers, and the first worker in what it notes of a job. */
async function checkMoved({ webs, client }: Stack): Promise<void> {
  const [first, second] = [client(webs[0]), client(webs[1])];
  await waitUntil('the web process sees the moved clock', async () => {
    const { headers } = await first.get('/health/live');
    return isFarFromNow(Date.parse(String(headers.get('date'))));
  });
  // Either worker may take it. The second web process looks for it by the right clock.
  await waitUntil('a worker sees the moved clock', async () => {
    const asked = await second.post('/api/v1/jobs/flush-clicks', {});
    const path = String(asked.headers.get('location'));
    const job = await waitUntil('the job is done', async () => {
      const { status, body } = await second.get(path);
      // A worker whose clock is days ahead takes every job's history for old, and drops it: then another one is asked for.
      return (status === 404 || body['state'] === 'completed') && body;
    });
    return isFarFromNow(Date.parse(String(job['started_at'])));
  });
}

export const clocksMoved: Fault = {
  name: 'clocks-moved',
  does: 'the clocks of one web and one worker process jump by +3 days, or by −10 minutes, and back some seconds later',
  times: 4,
  fakeClocks: true,
  inject: async (stack, turn) => {
    const { clock, say } = stack;
    const seconds = offsets[turn % offsets.length]!;
    say(`web 1 and worker 1: clock moved by ${seconds / minuteSeconds} minutes`);
    await clock!.setOffset(seconds);
    await checkMoved(stack);
    await pause(stack, 1_000, 3_000);
    await clock!.setOffset(0);
  },
};
