import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { openBench } from '../../chaos/matrix/bench.ts';
import { killLeftProcesses } from '../../support/processes/launch.ts';
import { formatDay, listFailures } from './report.ts';
import { runDay } from './run-day.ts';

/** `npm run test:day`: sends a day of clicks, and says by its exit code whether every figure of the analytics is what was sent: 0
 *  if so, 1 otherwise, 2 when it was asked for wrongly. */
const { values } = parseArgs({
  options: {
    clicks: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: String(randomInt(1_000_000)) },
  },
});
const clicks = Number(values.clicks);
const say = (line: string) => void process.stdout.write(`${line}\n`);
if (!Number.isSafeInteger(clicks) || clicks < 1) {
  process.stderr.write(`Not a number of clicks: ${values.clicks}.\n`);
  process.exit(2);
}

say(`seed ${values.seed}; building, and starting PostgreSQL`);
const bench = await openBench();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    killLeftProcesses();
    void bench.close().finally(() => process.exit(130));
  });
}
let failures: string[];
try {
  const outcome = await runDay(bench, { seed: values.seed, clicks, say });
  say(`\n${formatDay(outcome)}\n`);
  failures = listFailures(outcome);
} finally {
  killLeftProcesses();
  await bench.close();
}
for (const failure of failures) say(`FAILED with seed ${values.seed}: ${failure}`);
if (failures.length === 0) say('Every figure is what was sent.');
process.exit(failures.length === 0 ? 0 : 1);
