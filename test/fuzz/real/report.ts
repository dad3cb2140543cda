import { formatMarkdownTable } from '../../support/http/markdown-table.ts';
import { meetsGoal, type Row, shareOf } from './row.ts';

const percent = (share: number) => `${(Math.floor(share * 10_000) / 100).toFixed(2)} %`;

/** A table of all rows, with examples of wrong and refused inputs below it. */
export function formatReport(rowsOf: ReadonlyMap<string, Row[]>, maxExamples: number): string {
  const rows = [...rowsOf].flatMap(([name, rows]) =>
    rows.map((row) => ({ ...row, name: `${name}: ${row.name}` })),
  );
  const table = formatMarkdownTable(
    ['inputs', 'right', 'wrong', 'refused', 'share', 'goal', ''],
    rows.map((row) => [
      row.name,
      String(row.right),
      String(row.wrong),
      String(row.refused),
      percent(shareOf(row)),
      percent(row.goal),
      meetsGoal(row) ? 'met' : 'MISSED',
    ]),
  );
  const lines = rows.flatMap(({ name, examples }) =>
    examples.slice(0, maxExamples).map((example) => `${name}: ${example}`),
  );
  return [table, ...lines].join('\n');
}

/** A line per missed goal. */
export const listMissed = (rows: Row[]): string[] =>
  rows
    .filter((row) => !meetsGoal(row))
    .map((row) => `${row.name}: ${percent(shareOf(row))} right, the goal is ${percent(row.goal)}`);
