import { readAnalyticsAudit } from '../../../src/analytics/rollups/audit.ts';
import { runToEnd } from '../../support/processes/launch.ts';
import { countAll } from '../../support/processes/load.ts';
import { readSlowness } from '../../support/processes/slowness.ts';
import { waitUntil } from '../../support/wait-until.ts';
import type { Bench } from './bench.ts';
import type { Fault } from './fault.ts';
import { drain, judge, judgeAnalytics, judgeDetails, type RateLimitResult } from './judge.ts';
import { pause, type Stack, startStack } from './stack.ts';
import type { System } from './system.ts';

/** What came of one fault. */
export interface Row extends RateLimitResult {
  system: System['name'];
  fault: Fault;
  /** How often it was injected. */
  times: number;
  /** Requests that got another answer than a redirect, or none. */
  failed: number;
  p50Ms: number;
  p99Ms: number;
  /** From the end of the load until everything answered was counted; undefined when it never was. */
  countedAfterSeconds: number | undefined;
  /** Why this row is a failure; none when it is not. */
  problems: string[];
  /** What took too long; a failure unless the machine is busy with something else. */
  delays: string[];
}

/** Answered redirects before the first injection. */
const warmUpClicks = 400;
const reconcileSeconds = 5;
/** Longest time that a process may take to end when it is asked to, with both stores at hand. */
const endWithinMs = 10_000;

/** Injects a fault some times into a fresh stack under load, and judges when counting has caught up, and again when every
 *  process has ended and nothing more can be counted. */
export async function runFault(
  bench: Bench,
  system: System,
  fault: Fault,
  seed: string,
  say: (line: string) => void,
): Promise<Row> {
  const { appendonly = true, fakeClocks = false, settings = {} } = fault;
  const stack = await startStack(bench, system, {
    seed: `${seed} ${fault.name}`,
    appendonly,
    fakeClocks,
    settings,
    say,
  });
  let times = 0;
  try {
    await waitUntil('the load runs', () => countAll(stack.tally.answered) >= warmUpClicks, 30_000);
    for (; times < fault.times; times++) {
      await pause(stack, 300, 1_200);
      await fault.inject(stack, times);
    }
    await pause(stack, 300, 1_200);
  } catch (error) {
    stack.problems.push(`could not be injected: ${describe(error)}`);
  }
  try {
    const row = await finish(bench, stack, fault, times);
    if (row.problems.length > 0) showWhy(stack, row.problems);
    return row;
  } finally {
    await stack.close();
  }
}

async function finish(bench: Bench, stack: Stack, fault: Fault, times: number): Promise<Row> {
  const { system, tally, problems, delays } = stack;
  stack.redis.goOn();
  bench.postgres.goOn();
  await stack.stopLoad();
  const patienceMs = fault.notPromised ? 10_000 : system.patienceMs;
  const judgeNow = (counted: Map<string, number>) => judge(tally, counted, stack.lostPart);
  const drainedMs = await drain(stack.readCounted, judgeNow, patienceMs * readSlowness());
  const before = judgeNow(await stack.readCounted());
  await endAll(stack);
  const after = judgeNow(await stack.readCounted());
  const limitResult = {
    ...after,
    lost: Math.max(before.lost, after.lost),
    doubled: Math.max(before.doubled, after.doubled),
  };
  if (!fault.notPromised) await reconcile(stack, fault);
  if (system.name === 'linkmill') {
    problems.push(...judgeAnalytics(await readAnalyticsAudit(stack.db)));
    problems.push(...(await judgeDetails(stack.db)));
  }
  const latencies = tally.latenciesMs.sort((a, b) => a - b);
  const percentile = (share: number) => latencies[Math.floor(latencies.length * share)] ?? NaN;
  const row: Row = {
    ...limitResult,
    system: system.name,
    fault,
    times,
    failed: tally.failures.length,
    p50Ms: percentile(0.5),
    p99Ms: percentile(0.99),
    countedAfterSeconds: drainedMs === undefined ? undefined : drainedMs / 1_000,
    problems,
    delays,
  };
  problems.push(...findProblems(row, tally.failures));
  return row;
}

/** Asks every process to end, all at once, and notes those that do not end well. */
async function endAll({ members, problems, delays }: Stack): Promise<void> {
  const ends = await Promise.all(members.map(async (member) => ({ member, ...(await member.terminate()) })));
  for (const { member, end, ms } of ends) {
    if (end !== 0) problems.push(`${member.name} ended with ${end}`);
    if (ms > endWithinMs) delays.push(`${member.name} took ${(ms / 1_000).toFixed(1)} s to end`);
  }
}

/** Asks the system itself whether its books are right, or what is missing where a part of the database was lost. */
async function reconcile(
  { system, databaseUrl, problems, say }: Stack,
  { losesDatabase = false }: Fault,
): Promise<void> {
  const commandLine = system.reconcile?.(Math.ceil(reconcileSeconds * readSlowness()));
  if (!commandLine) return;
  const { code, stdout, stderr } = await runToEnd(commandLine, { DATABASE_URL: databaseUrl });
  const isRight = losesDatabase ? code !== 2 && /epoch \d+ began at/.test(stdout) : code === 0;
  if (!isRight) problems.push(`reconcile ended with ${code}:\n${stdout}${stderr}`);
  else say(`reconcile: ${losesDatabase ? stdout : stdout.split('\n')[0]}`);
}

function findProblems({ system, fault, lost, doubled, failed, answered }: Row, failures: string[]): string[] {
  if (answered === 0) return ['no request was answered'];
  if (system === 'control') {
    return lost + doubled > 0 ? [] : ['the control came through: nothing would have been noticed'];
  }
  return [
    ...(lost > 0 && !fault.notPromised ? [`${lost} clicks were lost`] : []),
    ...(doubled > 0 ? [`${doubled} clicks were doubled`] : []),
    ...(failed > 0 && fault.failsNothing
      ? [`${failed} requests failed: ${[...new Set(failures)].join(', ')}`]
      : []),
  ];
}

function showWhy({ members, say }: Stack, problems: string[]): void {
  for (const problem of problems) say(`PROBLEM: ${problem}`);
  for (const member of members) say(`the last lines of ${member.name}:\n${member.tail(15)}`);
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message} (${describe(error.cause)})`;
}
