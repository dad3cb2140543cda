import { readSlowness } from '../../../support/processes/slowness.ts';
import { waitUntil } from '../../../support/wait-until.ts';
import type { Fault } from '../fault.ts';
import type { Member } from '../member.ts';
import type { Stack } from '../stack.ts';

/** A heartbeat counts for 15 s, a queue may be without a worker for 20 s, and the queues are read every 3 s. */
const reportedWithinMs = 40_000;
/** How much longer a report is waited for before it counts as missing. */
const patienceMs = 2 * reportedWithinMs;

/** Takes all workers away until the health of each web process says so, and gives them back until it says no longer. */
async function withoutWorkers(
  stack: Stack,
  takeAway: (worker: Member) => unknown,
  giveBack: (worker: Member) => unknown,
): Promise<void> {
  const { workers, webs, say, delays } = stack;
  const startedAt = performance.now();
  for (const worker of workers) await takeAway(worker);
  try {
    const reports = webs.map(async (web) => await waitForCondition(stack, web, true));
    await Promise.all(reports);
    const seconds = (performance.now() - startedAt) / 1_000;
    say(`every /health is degraded after ${seconds.toFixed(1)} s`);
    if (seconds * 1_000 > reportedWithinMs) delays.push(`/health was degraded after ${seconds.toFixed(1)} s`);
  } finally {
    await Promise.all(workers.map(giveBack));
  }
  await Promise.all(webs.map(async (web) => await waitForCondition(stack, web, false)));
}

async function waitForCondition({ client }: Stack, web: Member, isMissing: boolean): Promise<void> {
  const what = `${web.name} says ${isMissing ? 'that no worker is running' : 'nothing of workers'}`;
  await waitUntil(
    what,
    async () => {
      const { body } = await client(web).get('/health');
      const conditions = body['conditions'] as { code: string }[];
      const works = body['works'] as { jobs: boolean };
      const isReported = conditions.some(({ code }) => code === 'workers_missing');
      if (!isMissing) return !isReported;
      return isReported && body['status'] === 'degraded' && !works.jobs;
    },
    patienceMs * readSlowness(),
  );
}

export const workersFrozen: Fault = {
  name: 'workers-frozen',
  does: 'all workers get a SIGSTOP, until /health is degraded, which takes up to 40 s, and a SIGCONT',
  times: 1,
  inject: async (stack) =>
    await withoutWorkers(
      stack,
      (worker) => worker.signal('SIGSTOP'),
      (worker) => worker.signal('SIGCONT'),
    ),
};

export const workersMissing: Fault = {
  name: 'workers-missing',
  does: 'all workers get a SIGKILL, and are started again when /health is degraded, which takes up to 40 s',
  times: 1,
  inject: async (stack) =>
    await withoutWorkers(
      stack,
      (worker) => worker.kill(),
      (worker) => worker.start(),
    ),
};
