import type { FuzzResult } from './fuzz.ts';
import { readOperations } from './operations.ts';

/** Formats the findings, and the number of answers by operation and status. */
export function formatReport(result: FuzzResult, document: object): string {
  const { requests, findings, answers, milliseconds } = result;
  const rows = readOperations(document).map(({ id }) => {
    const counts = [...(answers.get(id) ?? [])].toSorted(([a], [b]) => a - b);
    const seconds = ((milliseconds.get(id) ?? 0) / 1_000).toFixed(1);
    return `  ${id.padEnd(24)} ${seconds.padStart(7)} s  ${counts.map(([status, count]) => `${status}: ${count}`).join('  ')}`;
  });
  const found = findings.map(
    ({ operation, problem, curl, answer }) => `\n${operation}: ${problem}\n  ${curl}\n  -> ${answer}`,
  );
  return [`${requests} requests, ${findings.length} findings`, ...rows, ...found].join('\n');
}
