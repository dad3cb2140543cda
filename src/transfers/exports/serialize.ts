import { stringify } from 'csv-stringify/sync';
import { guardFormula } from '../rows/formula-guard.ts';
import { writeTags } from '../rows/tag-list.ts';
import type { Encoding } from '../transfer.ts';
import type { ExportedRow, ExportedValue } from './source.ts';

/** What comes before all rows. */
export const writeHead = (encoding: Encoding, columns: readonly string[]): string =>
  encoding === 'csv' ? stringify([[...columns]]) : '';

/** Rows as they stand in a file: a JSON object each, or cells in the order of the columns, that no spreadsheet takes for formulas. */
export function writeRows(encoding: Encoding, columns: readonly string[], rows: ExportedRow[]): string {
  if (encoding === 'ndjson') return rows.map(({ values }) => `${JSON.stringify(values)}\n`).join('');
  const cells = rows.map(({ values }) => columns.map((column) => toCell(values[column])));
  // A line end of one character would be taken for a part of the next one.
  return stringify(cells, { quoted_match: /\r/ });
}

function toCell(value: ExportedValue | undefined): string {
  if (value === null || value === undefined) return '';
  if (value instanceof Date) return value.toISOString();
  if (typeof value === 'object') return guardFormula(writeTags(value));
  return typeof value === 'string' ? guardFormula(value) : String(value);
}
