import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { openTestbed } from '../../chaos/matrix/testbed.ts';
import { killLeftProcesses } from '../../support/processes/launch.ts';
import { formatDay, listFailures } from './report.ts';
import { runDay } from './run-day.ts';

/** `npm run test:day`: sends a day of clicks and compares all analytics with them. Exit code 0 when they match, 1
 *  when they do not, 2 for invalid arguments. */
const { values } = parseArgs({
  options: {
    clicks: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: String(randomInt(1_000_000)) },
  },
});
const clicks = Number(values.clicks);
const print = (line: string) => void process.stdout.write(`${line}\n`);
if (!Number.isSafeInteger(clicks) || clicks < 1) {
  process.stderr.write(`Not a number of clicks: ${values.clicks}.\n`);
  process.exit(2);
}

print(`seed ${values.seed}; building, and starting PostgreSQL`);
const testbed = await openTestbed();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    killLeftProcesses();
    void testbed.close().finally(() => process.exit(130));
  });
}
let failures: string[];
try {
  const outcome = await runDay(testbed, { seed: values.seed, clicks, print });
  print(`\n${formatDay(outcome)}\n`);
  failures = listFailures(outcome);
} finally {
  killLeftProcesses();
  await testbed.close();
}
for (const failure of failures) print(`FAILED with seed ${values.seed}: ${failure}`);
if (failures.length === 0) print('All metrics match the clicks sent.');
process.exit(failures.length === 0 ? 0 : 1);
