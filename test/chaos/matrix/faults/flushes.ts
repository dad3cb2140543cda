import { jobNames, jobs } from '../../../../src/queues/jobs.ts';
import { runToEnd } from '../../../support/processes/launch.ts';
import { waitUntil } from '../../../support/wait-until.ts';
import type { Fault } from '../fault.ts';
import type { Member } from '../member.ts';
import { pause, type Stack } from '../stack.ts';
import { trapFirst } from './network.ts';

/** How a worker is interrupted during a flush, and how it resumes. */
interface Interruption {
  label: string;
  stop: (member: Member) => unknown;
  resume: (member: Member) => unknown;
}

const stopped: Interruption = {
  label: 'stopped',
  stop: (member) => member.signal('SIGSTOP'),
  resume: (member) => member.signal('SIGCONT'),
};

const killed: Interruption = {
  label: 'killed',
  stop: (member) => member.kill(),
  resume: (member) => member.start(),
};

/** A flush writes to this table after it has updated the counters, so this lock holds it before the commit. */
const lockLedger = 'lock table click_out_of_order_batches in share mode';

async function betweenUpdateAndCommit(
  stack: Stack,
  interruption: Interruption,
  ms: [number, number] = [1_000, 3_000],
): Promise<void> {
  const { db, members, print } = stack;
  const lock = await db.transaction();
  let member: Member;
  try {
    await lock.raw(lockLedger);
    member = await waitUntil('a flush waits for the ledger', async () => {
      const { rows } = await db.raw<{ rows: { port: number }[] }>(
        `select client_port as port from pg_stat_activity
         where datname = current_database() and wait_event_type = 'Lock' and query like '%click_out_of_order_batches%'`,
      );
      return members.find(({ proxies }) => rows.some(({ port }) => proxies.postgres.comesFrom(port)));
    });
    print(`${member.name}: ${interruption.label} between UPDATE and COMMIT`);
    await interruption.stop(member);
  } finally {
    await lock.rollback();
  }
  await pause(stack, ...ms);
  await interruption.resume(member);
}

async function betweenCommitAndAcknowledge(stack: Stack, interruption: Interruption): Promise<void> {
  const { workers, print, system } = stack;
  const { member, trap } = await trapFirst(workers, ({ redis }) => redis.hold(system.commands.acknowledge));
  print(`${member.name}: ${interruption.label} between COMMIT and XDEL`);
  await interruption.stop(member);
  await pause(stack, 1_000, 3_000);
  if (interruption === killed) trap.discard();
  await interruption.resume(member);
  trap.release();
}

const interruptFlush = (interruption: Interruption) => async (stack: Stack, turn: number) =>
  await (turn % 2 === 0 ? betweenUpdateAndCommit : betweenCommitAndAcknowledge)(stack, interruption);

export const workerStoppedInFlush: Fault = {
  name: 'worker-stopped-in-flush',
  description:
    'a worker gets SIGSTOP for 1 to 3 s between UPDATE and COMMIT, or between COMMIT and XDEL, while the other one runs',
  times: 6,
  inject: interruptFlush(stopped),
};

/** Longer than the timeout after which PostgreSQL ends the flush's transaction. */
const frozenMs = 25_000;

export const workerFrozenInFlush: Fault = {
  name: 'worker-frozen-in-flush',
  description:
    'a worker gets SIGSTOP for 25 s between UPDATE and COMMIT; the other one continues counting meanwhile',
  times: 1,
  inject: async (stack) => {
    const frozen = betweenUpdateAndCommit(stack, stopped, [frozenMs, frozenMs]);
    await pause(stack, 2_000, 2_000);
    await stack.settle(frozenMs - 5_000);
    stack.print('all clicks answered before are counted');
    await frozen;
  },
};

export const workerKilledInFlush: Fault = {
  name: 'worker-killed-in-flush',
  description: 'a worker gets SIGKILL between UPDATE and COMMIT, or between COMMIT and XDEL, and restarts',
  times: 4,
  inject: interruptFlush(killed),
};

/** Those that need no data. */
const namesWithoutData = jobNames.filter((name) => jobs[name].data.safeParse({}).success);

export const concurrentJobs: Fault = {
  name: 'concurrent-jobs',
  description:
    'each job that needs no data, in turn, is requested three times through the API and run three times from the command line, concurrently',
  times: namesWithoutData.length,
  inject: async (stack, turn) => {
    const { system, print, webs, client, redis, databaseUrl } = stack;
    const name = namesWithoutData[turn % namesWithoutData.length]!;
    print(`${name}: three times through the API, three times from the command line`);
    const settings = { REDIS_URL: redis.url, DATABASE_URL: databaseUrl };
    const times = [0, 1, 2];
    const [answers, runs] = await Promise.all([
      Promise.all(
        times.map(async (i) => await client(webs[i % webs.length]!).post(`/api/v1/jobs/${name}`, {})),
      ),
      Promise.all(times.map(async () => await runToEnd(system.job!(name), settings))),
    ]);
    for (const { status } of answers) if (status !== 202) throw new Error(`${name} was answered ${status}`);
    for (const { code, stderr } of runs) if (code !== 0) throw new Error(`${name} failed: ${stderr}`);
  },
};
