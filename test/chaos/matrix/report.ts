import { formatMarkdownTable } from '../../support/http/markdown-table.ts';
import { describeMachine } from '../../support/processes/machine.ts';
import type { Fault } from './fault.ts';
import type { Row } from './run-fault.ts';

/** The rows of one run, which its seed tells apart. */
export interface Run {
  seed: string;
  rows: Row[];
  seconds: number;
}

const columns = [
  'fault',
  'times',
  'answered',
  'counted',
  'sent',
  'lost',
  'doubled',
  'failed requests',
  'p50 ms',
  'p99 ms',
  'counted after s',
];

const whole = (number: number) => number.toLocaleString('en');

/** A table in Markdown, which is as good to read in a terminal. */
export function formatTable(rows: Row[]): string {
  const cells = rows.map((row) => [
    `${row.system === 'control' ? 'control: ' : ''}${row.fault.name}${row.fault.notPromised ? ' (not promised)' : ''}`,
    whole(row.times),
    whole(row.answered),
    whole(row.counted),
    whole(row.sent),
    bold(row.lost),
    bold(row.doubled),
    whole(row.failed),
    row.p50Ms.toFixed(1),
    row.p99Ms.toFixed(1),
    row.countedAfterSeconds?.toFixed(1) ?? 'never',
  ]);
  return formatMarkdownTable(columns, cells);
}

const bold = (number: number) => (number === 0 ? '0' : `**${whole(number)}**`);

/** What a full run found, for people: tables, what each fault does, the machine, and how to repeat it. */
export async function formatReport(
  runs: Run[],
  faults: Fault[],
  versions: Record<string, string>,
): Promise<string> {
  const own = runs.flatMap(({ rows }) =>
    rows.filter((row) => row.system === 'linkmill' && !row.fault.notPromised),
  );
  const sum = (read: (row: Row) => number) => whole(own.reduce((total, row) => total + read(row), 0));
  const tables = runs.map(
    ({ seed, rows, seconds }) =>
      `### Seed ${seed}, ${Math.round(seconds / 60)} minutes\n\n${formatTable(rows)}\n`,
  );
  return `# What faults do to the counting

Made by \`npm run test:faults\`. Two web and two worker processes of a fresh build, a PostgreSQL and a Redis of their own, each
process behind proxies of its own; 32 clients follow 200 short URLs, by Zipf's law, at both web processes, while a fault is
injected some times at random moments. Then, for each short URL: \`answered ≤ counted ≤ sent\`. *Sent* is counted before a
request is written, *answered* when its redirect has arrived; *lost* and *doubled* are added up per short URL, so that errors
do not make up for each other.

**In ${sum((row) => row.times)} injections with ${sum((row) => row.answered)} answered redirects: ${sum((row) => row.lost)} lost, ${sum((row) => row.doubled)} doubled.**

The rows named *control* are the usual design (\`HINCRBY\`, then \`RENAME\` and a transaction with the batch's id), under the
same load, faults and judge: it is there to show that an error would be noticed, and a run in which it makes none fails.

${tables.join('\n')}
*Failed requests* are those that a killed web process, or one without its stores, did not answer with a redirect. *Counted
after* is the time from the end of the load until everything answered was counted.

## The faults

${faults.map(({ name, does }) => `- **${name}**: ${does}.`).join('\n')}

## Machine

${new Date().toISOString().slice(0, 10)}; ${await describeMachine(versions)}.

## Repeat it

\`\`\`sh
npm run test:faults -- --seed ${runs[0]!.seed}
npm run test:faults -- --runs 3
npm run test:faults -- --only redis-flushed,mixed
npm run test:faults -- --list
\`\`\`

The seed fixes what is chosen (which process, which fault, how long), not how the processes meet.
`;
}
