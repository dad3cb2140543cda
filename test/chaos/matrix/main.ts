import { randomInt } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { killLeftProcesses } from '../../support/processes/launch.ts';
import type { Fault } from './fault.ts';
import { faults } from './faults/all.ts';
import { formatReport, formatTable, type Run } from './report.ts';
import { type Row, runFault } from './run-fault.ts';
import { control, type System } from './system.ts';
import { type Testbed, openTestbed } from './testbed.ts';
import { readVersions } from './versions.ts';

/** `npm run test:faults`: injects all faults into a running system. Exit code 0 when all counts are exact and the
 *  control's are not, 1 otherwise, 2 for invalid arguments. */
const reportFile = 'docs/faults.md';

const options = readOptions();
const print = (line: string) => void process.stdout.write(`${line}\n`);

if (options.list) {
  for (const { name, description, times } of faults)
    print(`${name.padEnd(30)} ${times} times: ${description}`);
  process.exit(0);
}

/** Closed when the run is interrupted. */
let testbed: Testbed | undefined;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    print(`${signal}: stopping`);
    void (testbed?.close() ?? Promise.resolve()).finally(() => {
      killLeftProcesses();
      process.exit(130);
    });
  });
}

print('building, and starting PostgreSQL');
testbed = await openTestbed();
const runs: Run[] = [];
try {
  for (let i = 0; i < options.runs; i++) runs.push(await runAll(testbed, String(options.seed + i)));
  const versions = await readVersions(testbed);
  if (options.isFull) {
    await mkdir('docs', { recursive: true });
    await writeFile(reportFile, await formatReport(runs, faults, versions));
    print(`wrote ${reportFile}`);
  }
} finally {
  await testbed.close();
}
const failures = runs
  .flatMap(({ seed, rows }) => rows.map((row) => ({ seed, row })))
  .map(({ seed, row }) => ({ seed, row, reasons: [...row.problems, ...row.delays] }))
  .filter(({ reasons }) => reasons.length > 0);
for (const { seed, row, reasons } of failures)
  print(`FAILED with seed ${seed}: ${row.system} ${row.fault.name}: ${reasons.join('; ')}`);
if (failures.length === 0) print('All rows passed.');
process.exit(failures.length === 0 ? 0 : 1);

async function runAll(on: Testbed, seed: string): Promise<Run> {
  const start = performance.now();
  print(`seed ${seed}`);
  const rows: Row[] = [];
  const todo: [System, Fault][] = [
    ...(options.control ? [] : options.chosen.map((fault): [System, Fault] => [on.linkmill, fault])),
    ...options.controlled.map((fault): [System, Fault] => [control, fault]),
  ];
  for (const [number, [system, fault]] of todo.entries()) {
    const minutes = ((performance.now() - start) / 60_000).toFixed(1);
    print(`[${number + 1}/${todo.length}, ${minutes} min] ${system.name}: ${fault.name}`);
    const row = await runFault(on, system, fault, seed, print);
    print(
      `  answered ${row.answered}, counted ${row.counted}, sent ${row.sent}: ${row.lost} lost, ${row.doubleCounted} double-counted`,
    );
    rows.push(row);
  }
  print(`\nseed ${seed}\n${formatTable(rows)}\n`);
  return { seed, rows, seconds: (performance.now() - start) / 1_000 };
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: String(randomInt(1_000_000)) },
      runs: { type: 'string', default: '1' },
      only: { type: 'string' },
      list: { type: 'boolean', default: false },
      control: { type: 'boolean', default: false },
    },
  });
  const names = values.only?.split(',').map((name) => name.trim());
  const unknown = names?.filter((name) => !faults.some((fault) => fault.name === name)) ?? [];
  const [seed, runs] = [Number(values.seed), Number(values.runs)];
  if (unknown.length > 0 || !Number.isSafeInteger(seed) || !(runs >= 1)) {
    process.stderr.write(`Unknown: ${unknown.join(', ') || `seed ${values.seed}, runs ${values.runs}`}.\n`);
    process.exit(2);
  }
  const chosen = faults.filter(({ name }) => names?.includes(name) ?? true);
  const breaking = chosen.filter((fault) => fault.breaksControl);
  return {
    seed,
    runs,
    list: values.list,
    control: values.control,
    chosen,
    controlled: values.control || names === undefined ? breaking : [],
    isFull: names === undefined && !values.control,
  };
}
