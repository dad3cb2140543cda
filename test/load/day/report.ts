import { formatMarkdownTable } from '../../support/http/markdown-table.ts';
import { quarterMs } from './clicks.ts';
import type { DayOutcome } from './run-day.ts';

const columns = ['cut', 'figures', 'clicks sent', 'found', 'of bots sent', 'found', 'differing'];
const whole = (number: number) => number.toLocaleString('en');

/** Whether the next quarter of an hour begins within a second. */
const isOnEve = ({ atMs }: { atMs: number }) => quarterMs - (atMs % quarterMs) < 1_000;

/** A table of the cuts, and how fast it went. */
export function formatDay(outcome: DayOutcome): string {
  const { verdicts, sent, seconds, countedAfterSeconds, webProcesses, refused, peakMegabytes } = outcome;
  const cells = verdicts.map(({ name, figures, expected, found, differing }) => [
    name,
    whole(figures),
    whole(expected.clicks),
    whole(found.clicks),
    whole(expected.bots),
    whole(found.bots),
    differing === 0 ? '0' : `**${whole(differing)}**`,
  ]);
  const perSecond = Math.round(sent.length / seconds);
  return [
    formatMarkdownTable(columns, cells),
    '',
    `${whole(sent.length)} clicks in ${seconds.toFixed(0)} s (${whole(perSecond)} per second) by ${webProcesses} web processes, two at a time`,
    `${whole(sent.filter(isOnEve).length)} of them in the last second of a quarter of an hour`,
    `all counted ${countedAfterSeconds.toFixed(1)} s after the last answer`,
    `${whole(refused)} requests refused for a moment and sent again`,
    `most memory of a web process ${peakMegabytes.web.toFixed(0)} MB, of the worker ${peakMegabytes.worker.toFixed(0)} MB`,
  ].join('\n');
}

/** What is wrong, a line each; none when all is exact. */
export const listFailures = ({ verdicts, problems }: DayOutcome): string[] => [
  ...problems,
  ...verdicts
    .filter(({ differing }) => differing > 0)
    .map(({ name, differing, examples }) => `${name}: ${differing} differ, such as ${examples.join('; ')}`),
];
