import { stringify } from 'csv-stringify/sync';
import { guardFormula } from '../rows/formula-guard.ts';
import { writeTags } from '../rows/tag-list.ts';
import type { Encoding } from '../transfer.ts';
import type { ExportedRow, ExportedValue } from './source.ts';

/** The header of a file; empty for NDJSON. */
export const writeHead = (encoding: Encoding, columns: readonly string[]): string =>
  encoding === 'csv' ? stringify([[...columns]]) : '';

/** Serializes rows: a JSON object each, or CSV cells in the order of the columns, guarded against formulas in spreadsheets. */
export function writeRows(encoding: Encoding, columns: readonly string[], rows: ExportedRow[]): string {
  if (encoding === 'ndjson') return rows.map(({ values }) => `${JSON.stringify(values)}\n`).join('');
  const cells = rows.map(({ values }) => columns.map((column) => toCell(values[column])));
  // Without quotes, a reader could merge a lone carriage return with the line end.
  return stringify(cells, { quoted_match: /\r/ });
}

function toCell(value: ExportedValue | undefined): string {
  if (value === null || value === undefined) return '';
  if (value instanceof Date) return value.toISOString();
  if (typeof value === 'object') return guardFormula(writeTags(value));
  return typeof value === 'string' ? guardFormula(value) : String(value);
}
