import { formatMarkdownTable } from '../test/support/http/markdown-table.ts';
import type { CountedTally } from './check.ts';
import { cpuShare, evaluateGoals, type GoalResult, rateShare, ratioOf } from './goals.ts';
import { medianOf, type Spread, spreadOf } from './median.ts';
import type { Findings } from './rounds.ts';
import { baselineOf, type Subject } from './scenarios/subjects.ts';
import type { Measurement } from './windows.ts';

const whole = (number: number) => Math.round(number).toLocaleString('en');
const range = ({ least, greatest }: Spread) => `${least.toFixed(2)} to ${greatest.toFixed(2)}`;

interface Run {
  subjects: Subject[];
  findings: Findings;
  /** Clicks per second in each round. */
  flush: { rates: number[]; perBatch: number };
  /** Wrong answers, which invalidate a measurement. */
  wrongAnswers: readonly string[];
  counting: { checked: CountedTally[]; problems: string[] };
  /** Time, machine and versions of the run. */
  conditions: string;
}

/** Formats the results of a run; ratios first. */
export function formatReport({ subjects, findings, flush, wrongAnswers, counting, conditions }: Run): string {
  const [creates, redirects] = [true, false].map((isCreate) =>
    subjects.filter(({ id }) => id.startsWith('create') === isCreate),
  );
  const answered = counting.checked.reduce((sum, tally) => sum + tally.answered, 0);
  return `# How fast Linkmill is

Made by \`npm run bench\`; [README.md](README.md) says how it measures and how to read this, and
[GROWTH.md](growth/GROWTH.md) how the cost of a redirect grows. ${conditions}

${formatGoals(evaluateGoals(findings))}

${formatDisturbance([...findings.values()].flat())}
${formatList('**Not every answer was as it must be:**', wrongAnswers)}
## Redirects, 64 connections

${formatSubjects(redirects!, findings)}

## Creates

${formatSubjects(creates!, findings)}

## Flush

A worker applied **${whole(medianOf(flush.rates))}** waiting clicks a second, in batches of ${flush.perBatch} (${flush.rates.map(whole).join(', ')}).

## Every click counted

${counting.problems.length === 0 ? `Yes: of ${whole(answered)} answered redirects none was lost, and none counted twice.` : formatList('**No:**', counting.problems).trim()}

${formatChecks(counting.checked)}
`;
}

/** Formats a list with its heading; empty without lines. */
function formatList(heading: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : `\n${heading}\n\n${lines.map((line) => `- ${line}`).join('\n')}\n`;
}

/** Formats the goals with their results. */
function formatGoals(results: GoalResult[]): string {
  const columns = ['ratio', 'median', 'of the rounds', 'goal', 'met'];
  const rows = results.map(({ what, ratio, goal, isMet }) => [
    what,
    `**${ratio.median.toFixed(2)}**`,
    range(ratio),
    goal,
    isMet ? 'yes' : '**no**',
  ]);
  return formatMarkdownTable(columns, rows);
}

/** Describes how much other programs disturbed the rates. */
function formatDisturbance(measurements: Measurement[]): string {
  const { median, greatest } = spreadOf(measurements.map(({ disturbed }) => disturbed));
  if (Number.isNaN(median)) return 'How much other programs disturbed it is not known here.';
  return (
    `Other programs took ${whole(median * 100)} % of the web process's processor (median of all windows, at most ` +
    `${whole(greatest * 100)} %): the more, the less requests per second print, and the more processor time does.`
  );
}

/** Formats all subjects with their ratio to the bare server, and its parts. */
function formatSubjects(subjects: Subject[], findings: Findings): string {
  const columns = [
    'subject',
    'of bare, in processor time',
    'of the rounds',
    'in requests per second',
    'per second',
    'µs each',
    'busy',
    'p50 ms',
    'p99 ms',
    'Redis hits',
  ];
  const rows = subjects.map(({ id, name }) => {
    const measurements = findings.get(id)!;
    const of = (read: keyof Measurement) => medianOf(measurements.map((measurement) => measurement[read]));
    const baseline = findings.get(baselineOf(id));
    const cpu = ratioOf(measurements, baseline, cpuShare);
    const rate = ratioOf(measurements, baseline, rateShare);
    return [
      name,
      cpu ? cpu.median.toFixed(2) : '',
      cpu ? range(cpu) : '',
      rate ? rate.median.toFixed(2) : '',
      whole(of('perSecond')),
      of('cpuMicros').toFixed(1),
      `${whole(of('busy') * 100)} %`,
      of('p50Ms').toFixed(2),
      of('p99Ms').toFixed(2),
      of('redisHits').toFixed(2),
    ];
  });
  return formatMarkdownTable(columns, rows);
}

/** Formats the answered, counted and sent requests for each kind of short URL. */
function formatChecks(checked: CountedTally[]): string {
  const rows = checked.map(({ begin, answered, counted, sent }) => [
    begin,
    ...[answered, counted, sent].map(whole),
  ]);
  return formatMarkdownTable(['codes that begin with', 'answered', 'counted', 'sent at most'], rows);
}
