import type { FuzzResult } from './fuzz.ts';
import { readOperations } from './operations.ts';

/** What a run found, and how often each operation was answered with what. */
export function formatReport({ requests, findings, answers }: FuzzResult, document: object): string {
  const rows = readOperations(document).map(({ id }) => {
    const counts = [...(answers.get(id) ?? [])].toSorted(([a], [b]) => a - b);
    return `  ${id.padEnd(24)} ${counts.map(([status, count]) => `${status}: ${count}`).join('  ')}`;
  });
  const found = findings.map(
    ({ operation, problem, curl, answer }) => `\n${operation}: ${problem}\n  ${curl}\n  -> ${answer}`,
  );
  return [`${requests} requests, ${findings.length} findings`, ...rows, ...found].join('\n');
}
