import { readAnalyticsAudit } from '../../support/clicks/analytics.ts';
import { runToEnd } from '../../support/processes/launch.ts';
import { countAll } from '../../support/processes/load.ts';
import { readSlowness } from '../../support/processes/slowness.ts';
import { waitUntil } from '../../support/wait-until.ts';
import type { Fault } from './fault.ts';
import {
  compareCounts,
  type CountResult,
  drain,
  findAnalyticsProblems,
  findDetailProblems,
} from './oracle.ts';
import { pause, type Stack, startStack } from './stack.ts';
import type { System } from './system.ts';
import type { Testbed } from './testbed.ts';

/** Result of one fault. */
export interface Row extends CountResult {
  system: System['name'];
  fault: Fault;
  /** Number of injections. */
  times: number;
  /** Requests without a redirect. */
  failed: number;
  p50Ms: number;
  p99Ms: number;
  /** Time from the end of the load until all answered clicks were counted; undefined when they never were. */
  countedAfterSeconds: number | undefined;
  /** Reasons why the row fails; empty when it passes. */
  problems: string[];
  /** Timeouts that were exceeded; a failure unless the machine is busy. */
  delays: string[];
}

/** Answered redirects before the first injection. */
const warmUpClicks = 400;
const reconcileSeconds = 5;
/** Maximum duration of a graceful shutdown with both stores available. */
const maxShutdownMs = 10_000;

/** Injects a fault into a fresh stack under load. Checks the counts when they have caught up, and again when all
 *  processes have ended. */
export async function runFault(
  testbed: Testbed,
  system: System,
  fault: Fault,
  seed: string,
  print: (line: string) => void,
): Promise<Row> {
  const { appendonly = true, fakeClocks = false, settings = {} } = fault;
  const stack = await startStack(testbed, system, {
    seed: `${seed} ${fault.name}`,
    appendonly,
    fakeClocks,
    settings,
    print,
  });
  let times = 0;
  try {
    await waitUntil('the load has started', () => countAll(stack.tally.answered) >= warmUpClicks, 30_000);
    for (; times < fault.times; times++) {
      await pause(stack, 300, 1_200);
      await fault.inject(stack, times);
    }
    await pause(stack, 300, 1_200);
  } catch (error) {
    stack.problems.push(`injection failed: ${describe(error)}`);
  }
  try {
    const row = await finish(testbed, stack, fault, times);
    if (row.problems.length > 0) showProblems(stack, row.problems);
    return row;
  } finally {
    await stack.close();
  }
}

async function finish(testbed: Testbed, stack: Stack, fault: Fault, times: number): Promise<Row> {
  const { system, tally, problems, delays } = stack;
  stack.redis.resume();
  testbed.postgres.resume();
  await stack.stopLoad();
  const patienceMs = fault.allowsLoss ? 10_000 : system.patienceMs;
  const compare = (counted: Map<string, number>) => compareCounts(tally, counted, stack.lostPart);
  const drainedMs = await drain(stack.readCounted, compare, patienceMs * readSlowness());
  const before = compare(await stack.readCounted());
  await endAll(stack);
  const after = compare(await stack.readCounted());
  const result = {
    ...after,
    lost: Math.max(before.lost, after.lost),
    doubleCounted: Math.max(before.doubleCounted, after.doubleCounted),
  };
  if (!fault.allowsLoss) await reconcile(stack, fault);
  if (system.name === 'linkmill') {
    problems.push(...findAnalyticsProblems(await readAnalyticsAudit(stack.db)));
    problems.push(...(await findDetailProblems(stack.db)));
  }
  const latencies = tally.latenciesMs.sort((a, b) => a - b);
  const percentile = (share: number) => latencies[Math.floor(latencies.length * share)] ?? NaN;
  const row: Row = {
    ...result,
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

/** Sends SIGTERM to all processes at once, and records those that do not exit cleanly. */
async function endAll({ members, problems, delays }: Stack): Promise<void> {
  const ends = await Promise.all(members.map(async (member) => ({ member, ...(await member.terminate()) })));
  for (const { member, end, ms } of ends) {
    if (end !== 0) problems.push(`${member.name} ended with ${end}`);
    if (ms > maxShutdownMs) delays.push(`${member.name} took ${(ms / 1_000).toFixed(1)} s to exit`);
  }
}

/** Runs the system's own audit; after a loss of data it must list the new epoch. */
async function reconcile(
  { system, databaseUrl, problems, print }: Stack,
  { losesDatabase = false }: Fault,
): Promise<void> {
  const commandLine = system.reconcile?.(Math.ceil(reconcileSeconds * readSlowness()));
  if (!commandLine) return;
  const { code, stdout, stderr } = await runToEnd(commandLine, { DATABASE_URL: databaseUrl });
  const isExpected = losesDatabase ? code !== 2 && /epoch \d+ began at/.test(stdout) : code === 0;
  if (!isExpected) problems.push(`reconcile ended with ${code}:\n${stdout}${stderr}`);
  else print(`reconcile: ${losesDatabase ? stdout : stdout.split('\n')[0]}`);
}

function findProblems(
  { system, fault, lost, doubleCounted, failed, answered }: Row,
  failures: string[],
): string[] {
  if (answered === 0) return ['no request was answered'];
  if (system === 'control') {
    return lost + doubleCounted > 0 ? [] : ['the control made no error: the test cannot detect one'];
  }
  return [
    ...(lost > 0 && !fault.allowsLoss ? [`${lost} clicks were lost`] : []),
    ...(doubleCounted > 0 ? [`${doubleCounted} clicks were double-counted`] : []),
    ...(failed > 0 && fault.requiresSuccess
      ? [`${failed} requests failed: ${[...new Set(failures)].join(', ')}`]
      : []),
  ];
}

function showProblems({ members, print }: Stack, problems: string[]): void {
  for (const problem of problems) print(`PROBLEM: ${problem}`);
  for (const member of members) print(`the last lines of ${member.name}:\n${member.tail(15)}`);
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message} (${describe(error.cause)})`;
}
