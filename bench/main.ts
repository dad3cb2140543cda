import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createLog } from '../src/log.ts';
import { ClosingStack } from '../src/resilience/shutdown.ts';
import { readVersions } from '../test/chaos/matrix/versions.ts';
import { killLeftProcesses } from '../test/support/processes/launch.ts';
import { describeMachine } from '../test/support/processes/machine.ts';
import { checkCounting } from './check.ts';
import { prepareCodes } from './load/codes.ts';
import { findLoadGenerator } from './load/find-generator.ts';
import { readOptions } from './options.ts';
import { splitProcessors } from './processors.ts';
import { findRegressions, storeExpected } from './regression.ts';
import { formatReport } from './report.ts';
import { runRounds } from './rounds.ts';
import { measureFlush } from './scenarios/flush.ts';
import { startSubjects, type Subject } from './scenarios/subjects.ts';
import { openStack, type Stack } from './stack.ts';
import { createWindows } from './windows.ts';

/** `npm run bench`: compares the speed of redirects, creates and flushes with baselines from the same run. Exit code 0
 *  when every click is counted and every answer is correct, and with `--check` no redirect has become more expensive, otherwise 1; a missed goal is
 *  only reported. */
const resultsFile = 'bench/RESULTS.md';
const flush = { perBatch: 20, perSecondOfWindow: 100_000 };
const closeMs = 60_000;

const options = readOptions();
const print = (line: string) => void process.stdout.write(`${line}\n`);
const log = createLog('bench', 'warn');
const closing = new ClosingStack(log);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void end(130));
let exitCode = 1;
try {
  exitCode = await run();
} catch (error) {
  log.error({ err: error }, 'the benchmark failed');
}
await end(exitCode);

async function end(code: number): Promise<never> {
  await closing.closeAll(closeMs);
  killLeftProcesses();
  process.exit(code);
}

async function run(): Promise<number> {
  const processors = splitProcessors();
  const generator = await findLoadGenerator(print);
  print('building, and starting PostgreSQL, Redis, a worker and web processes');
  const stack = await openStack(closing, log, { webProcessors: processors?.web, nodeOptions: profiling() });
  const { db, redis } = stack;
  const codes = await prepareCodes(db, redis, options.seconds);
  const { seconds, tries } = options;
  const windows = createWindows({ generator, ...stack, seconds, tries });
  const flushRates: number[] = [];
  const { subjects, findings } = await runRounds(windows, {
    starts: options.starts,
    rounds: options.rounds,
    start: async () => selectWanted(await startSubjects(stack, codes)),
    stop: stack.stopWebs,
    afterRound: async () => {
      const { flushed, seconds } = await measureFlush(stack, {
        prefix: `flush-${flushRates.length}`,
        clicks: options.seconds * flush.perSecondOfWindow,
        perBatch: flush.perBatch,
        urlIds: codes.flushIds,
      });
      flushRates.push(flushed / seconds);
    },
    print,
  });
  print('checking that every click was counted');
  const counting = await checkCounting(db, windows);
  const report = formatReport({
    subjects,
    findings,
    flush: { rates: flushRates, perBatch: flush.perBatch },
    wrongAnswers: windows.problems,
    counting,
    conditions: await describeConditions(stack, generator.name, processors !== undefined),
  });
  print(`\n${report}`);
  // Before the figures of this run replace those that it is compared with.
  const regressions = options.check ? findRegressions(findings) : [];
  regressions.forEach(print);
  if (options.write) {
    await writeFile(resultsFile, report);
    await storeExpected(findings);
    print(`${resultsFile} is written`);
  }
  return counting.problems.length + windows.problems.length + regressions.length === 0 ? 0 : 1;
}

/** The subjects of `--only`, and the bare server, which is the reference for all ratios. */
function selectWanted(subjects: Subject[]): Subject[] {
  const { only } = options;
  const ids = subjects.map(({ id }) => id);
  const unknown = only?.filter((id) => !ids.includes(id)) ?? [];
  if (unknown.length > 0) throw new Error(`--only knows ${ids.join(', ')}, not ${unknown.join(', ')}`);
  return subjects.filter(({ id }) => id.startsWith('bare') || (only?.includes(id) ?? true));
}

function profiling(): string[] {
  const { profile } = options;
  return profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${path.resolve(profile)}`];
}

async function describeConditions(stack: Stack, generator: string, arePinned: boolean): Promise<string> {
  const { starts, rounds, seconds } = options;
  const place = arePinned
    ? 'the web process that is measured has a processor to itself; load, stores and worker share the rest'
    : 'all processes share all processors';
  return (
    `${new Date().toISOString().slice(0, 10)}; ${await describeMachine(await readVersions(stack))}; ${generator}; ` +
    `web processes started anew: ${starts}, rounds after each start: ${rounds}, windows of ${seconds} s; ${place}.`
  );
}
