import { parseArgs } from 'node:util';
import { classes } from './classes.ts';
import { formatReport, listMissed } from './report.ts';
import type { Row } from './row.ts';

/** `npm run test:real`: processes large public data sets, and prints right, wrong and refused inputs. Exit code 0: each goal is met;
 *  1: one is missed; 2: invalid options. */
const { only, examples } = readOptions();
const rowsOf = new Map<string, Row[]>();
for (const name of only) rowsOf.set(name, await classes[name]!());
process.stdout.write(`${formatReport(rowsOf, examples)}\n`);
process.exitCode = [...rowsOf.values()].some((rows) => listMissed(rows).length > 0) ? 1 : 0;

function readOptions() {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', default: Object.keys(classes).join(',') },
      examples: { type: 'string', default: '3' },
    },
  });
  const only = values.only.split(',');
  const examples = Number(values.examples);
  if (only.some((name) => !Object.hasOwn(classes, name)) || !(examples >= 0)) {
    const names = Object.keys(classes).join(',');
    process.stderr.write(`Usage: npm run test:real -- [--only ${names}] [--examples N]\n`);
    process.exit(2);
  }
  return { only, examples };
}
