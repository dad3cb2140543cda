import { formatMarkdownTable } from '../../support/http/markdown-table.ts';
import { quarterMs } from './clicks.ts';
import type { DayOutcome } from './run-day.ts';

const columns = ['breakdown', 'metrics', 'clicks sent', 'found', 'bot clicks sent', 'found', 'differing'];
const formatInteger = (number: number) => number.toLocaleString('en');

/** Whether the next quarter of an hour begins within a second. */
const isAtEnd = ({ atMs }: { atMs: number }) => quarterMs - (atMs % quarterMs) < 1_000;

/** Formats a table of the breakdowns, and the throughput. */
export function formatDay(outcome: DayOutcome): string {
  const { results, sent, seconds, countedAfterSeconds, webProcesses, refused, peakMegabytes } = outcome;
  const cells = results.map(({ name, metrics, expected, found, differing }) => [
    name,
    formatInteger(metrics),
    formatInteger(expected.clicks),
    formatInteger(found.clicks),
    formatInteger(expected.bots),
    formatInteger(found.bots),
    differing === 0 ? '0' : `**${formatInteger(differing)}**`,
  ]);
  const perSecond = Math.round(sent.length / seconds);
  return [
    formatMarkdownTable(columns, cells),
    '',
    `${formatInteger(sent.length)} clicks in ${seconds.toFixed(0)} s (${formatInteger(perSecond)} per second) by ${webProcesses} web processes, two at a time`,
    `${formatInteger(sent.filter(isAtEnd).length)} of them in the last second of a quarter of an hour`,
    `all counted ${countedAfterSeconds.toFixed(1)} s after the last answer`,
    `${formatInteger(refused)} requests rejected temporarily and repeated`,
    `peak memory of a web process ${peakMegabytes.web.toFixed(0)} MB, of the worker ${peakMegabytes.worker.toFixed(0)} MB`,
  ].join('\n');
}

/** Lists failures, one per line; empty when all is exact. */
export const listFailures = ({ results, problems }: DayOutcome): string[] => [
  ...problems,
  ...results
    .filter(({ differing }) => differing > 0)
    .map(({ name, differing, examples }) => `${name}: ${differing} differ, such as ${examples.join('; ')}`),
];
