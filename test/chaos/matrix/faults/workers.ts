import { readSlowness } from '../../../support/processes/slowness.ts';
import { waitUntil } from '../../../support/wait-until.ts';
import type { Fault } from '../fault.ts';
import type { Member } from '../member.ts';
import type { Stack } from '../stack.ts';

/** A heartbeat is valid for 15 s, a queue may be without a worker for 20 s, and the queues are read every 3 s. */
const reportedWithinMs = 40_000;
/** Timeout of the wait for a report. */
const timeoutMs = 2 * reportedWithinMs;

/** Stops all workers until /health of each web process reports it, then resumes them until the report ends. */
const withoutWorkers =
  (stop: (worker: Member) => unknown, resume: (worker: Member) => unknown) =>
  async (stack: Stack): Promise<void> => {
    const { workers, webs, print, delays } = stack;
    const startedAt = performance.now();
    for (const worker of workers) await stop(worker);
    try {
      const reports = webs.map(async (web) => await waitForCondition(stack, web, true));
      await Promise.all(reports);
      const seconds = (performance.now() - startedAt) / 1_000;
      print(`every /health is degraded after ${seconds.toFixed(1)} s`);
      if (seconds * 1_000 > reportedWithinMs)
        delays.push(`/health was degraded after ${seconds.toFixed(1)} s`);
    } finally {
      await Promise.all(workers.map(resume));
    }
    await Promise.all(webs.map(async (web) => await waitForCondition(stack, web, false)));
  };

async function waitForCondition({ client }: Stack, web: Member, isMissing: boolean): Promise<void> {
  const what = `${web.name} ${isMissing ? 'reports' : 'no longer reports'} that no worker is running`;
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
    timeoutMs * readSlowness(),
  );
}

export const workersFrozen: Fault = {
  name: 'workers-frozen',
  description: 'all workers get SIGSTOP until /health is degraded, which takes up to 40 s, then SIGCONT',
  times: 1,
  inject: withoutWorkers(
    (worker) => worker.signal('SIGSTOP'),
    (worker) => worker.signal('SIGCONT'),
  ),
};

export const workersMissing: Fault = {
  name: 'workers-missing',
  description: 'all workers get SIGKILL, and restart when /health is degraded, which takes up to 40 s',
  times: 1,
  inject: withoutWorkers(
    (worker) => worker.kill(),
    (worker) => worker.start(),
  ),
};
