import { waitUntil } from '../../../support/wait-until.ts';
import type { Fault } from '../fault.ts';
import { pause, type Stack } from '../stack.ts';

const minuteSeconds = 60;
const daySeconds = 24 * 60 * minuteSeconds;
const offsets = [3 * daySeconds, -10 * minuteSeconds];

/** Difference from which a clock counts as moved. */
const isFarFromNow = (time: number) => Math.abs(time - Date.now()) > 5 * minuteSeconds * 1_000;

/** Waits until the first web process and the first worker report times of the moved clock. */
async function checkMoved({ webs, client }: Stack): Promise<void> {
  const [first, second] = [client(webs[0]), client(webs[1])];
  await waitUntil('the web process sees the moved clock', async () => {
    const { headers } = await first.get('/health/live');
    return isFarFromNow(Date.parse(String(headers.get('date'))));
  });
  // Either worker may take the job. The second web process has the correct clock.
  await waitUntil('a worker sees the moved clock', async () => {
    const requested = await second.post('/api/v1/jobs/flush-clicks', {});
    const path = String(requested.headers.get('location'));
    const job = await waitUntil('the job is done', async () => {
      const { status, body } = await second.get(path);
      // A worker whose clock is days ahead removes each finished job as expired: then request another one.
      return (status === 404 || body['state'] === 'completed') && body;
    });
    return isFarFromNow(Date.parse(String(job['started_at'])));
  });
}

export const clockJumps: Fault = {
  name: 'clock-jumps',
  description:
    'the clocks of a web process and a worker jump by +3 days or −10 minutes, and back after some seconds',
  times: 4,
  fakeClocks: true,
  inject: async (stack, turn) => {
    const { clock, print } = stack;
    const seconds = offsets[turn % offsets.length]!;
    print(`web 1 and worker 1: clock moved by ${seconds / minuteSeconds} minutes`);
    await clock!.setOffset(seconds);
    await checkMoved(stack);
    await pause(stack, 1_000, 3_000);
    await clock!.setOffset(0);
  },
};
