import { jobNames } from '../../../../src/queues/jobs.ts';
import { runToEnd } from '../../../support/processes/launch.ts';
import { waitUntil } from '../../../support/wait-until.ts';
import type { Fault } from '../fault.ts';
import type { Member } from '../member.ts';
import { pause, type Stack } from '../stack.ts';
import { trapFirst } from './network.ts';

/** How a worker is stopped in the middle of something, and what becomes of it. */
interface Fate {
  what: string;
  stop: (member: Member) => unknown;
  goOn: (member: Member) => unknown;
}

const stopped: Fate = {
  what: 'stopped',
  stop: (member) => member.signal('SIGSTOP'),
  goOn: (member) => member.signal('SIGCONT'),
};

const killed: Fate = {
  what: 'killed',
  stop: (member) => member.kill(),
  goOn: (member) => member.start(),
};

/** A flush has updated counters when it wants to write into this table, and nobody may while it is locked like this. */
const lockLedger = 'lock table click_ooo in share mode';

async function betweenUpdateAndCommit(
  stack: Stack,
  fate: Fate,
  ms: [number, number] = [1_000, 3_000],
): Promise<void> {
  const { db, members, say } = stack;
  const lock = await db.transaction();
  let member: Member;
  try {
    await lock.raw(lockLedger);
    member = await waitUntil('a flush waits for the ledger', async () => {
      const { rows } = await db.raw<{ rows: { port: number }[] }>(
        `select client_port as port from pg_stat_activity
         where datname = current_database() and wait_event_type = 'Lock' and query like '%click_ooo%'`,
      );
      return members.find(({ proxies }) => rows.some(({ port }) => proxies.postgres.comesFrom(port)));
    });
    say(`${member.name}: ${fate.what} between UPDATE and COMMIT`);
    await fate.stop(member);
  } finally {
    await lock.rollback();
  }
  await pause(stack, ...ms);
  await fate.goOn(member);
}

async function betweenCommitAndAcknowledge(stack: Stack, fate: Fate): Promise<void> {
  const { workers, say, system } = stack;
  const { member, trap } = await trapFirst(workers, ({ redis }) => redis.hold(system.commands.acknowledge));
  say(`${member.name}: ${fate.what} between COMMIT and XDEL`);
  await fate.stop(member);
  await pause(stack, 1_000, 3_000);
  if (fate === killed) trap.discard();
  await fate.goOn(member);
  trap.release();
}

const inTheMiddle = (fate: Fate) => async (stack: Stack, turn: number) =>
  await (turn % 2 === 0 ? betweenUpdateAndCommit : betweenCommitAndAcknowledge)(stack, fate);

export const workerStoppedInFlush: Fault = {
  name: 'worker-stopped-in-flush',
  does: 'a worker is stopped for 1 to 3 s between UPDATE and COMMIT, or between COMMIT and XDEL, while the other one works',
  times: 6,
  inject: inTheMiddle(stopped),
};

/** Longer than PostgreSQL lets a flush hold its locks. */
const frozenMs = 25_000;

export const workerFrozenInFlush: Fault = {
  name: 'worker-frozen-in-flush',
  does: 'a worker is stopped for 25 s between UPDATE and COMMIT; counting goes on without it before it does',
  times: 1,
  inject: async (stack) => {
    const frozen = betweenUpdateAndCommit(stack, stopped, [frozenMs, frozenMs]);
    await pause(stack, 2_000, 2_000);
    await stack.settle(frozenMs - 5_000);
    stack.say('all that was answered before is counted');
    await frozen;
  },
};

export const workerKilledInFlush: Fault = {
  name: 'worker-killed-in-flush',
  does: 'a worker gets a SIGKILL between UPDATE and COMMIT, or between COMMIT and XDEL, and is started again',
  times: 4,
  inject: inTheMiddle(killed),
};

export const jobsThrice: Fault = {
  name: 'jobs-thrice',
  does: 'a job (each in turn) is asked for three times over the API and run three times by hand, all at once',
  times: jobNames.length,
  inject: async (stack, turn) => {
    const { system, say, webs, client, redis, databaseUrl } = stack;
    const name = jobNames[turn % jobNames.length]!;
    say(`${name}: three times over the API, three times by hand`);
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
