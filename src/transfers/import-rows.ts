import { stringify } from 'csv-stringify/sync';
import { createUrlPolicy } from '../urls/url-policy.ts';
import { undoFormulaGuard } from './formula-guard.ts';
import { type Columns, plainName, readFields } from './import-formats/format.ts';
import { findFormat } from './import-formats/formats.ts';
import type { ImportRecord } from './import-records.ts';
import { readRow, type RowProblem, type WantedUrl } from './import-row.ts';
import type { Import, RowError } from './import-store.ts';

/** What is kept of a row for the list of errors, in characters. */
const keptText = 1_000;

/** A row of an import: the short URL that it asks for, or why it asks for none. */
export interface Row {
  line: number;
  /** The row as it stands in the file, about. */
  text: () => string;
  asks: { url: WantedUrl } | { problems: RowProblem[]; isUnreadable?: boolean };
}

/** What reads the rows of an import whose format is known. */
export function createRowReader(wanted: Import): (record: ImportRecord) => Row {
  const names = wanted.columns ?? [];
  const format = wanted.format === 'auto' ? undefined : findFormat(wanted.format, names)?.format;
  if (!format) throw new Error(`the format of import ${wanted.id} is not known`);
  const plainNames = names.map(plainName);
  const normaliseUrl = createUrlPolicy({ ownHosts: wanted.ownHosts, allowPrivate: wanted.allowsPrivate });

  function columnsOf(cells: string[]): Columns {
    const given = format!.cellsAreGuarded ? cells.map(undoFormulaGuard) : cells;
    return new Map(plainNames.map((name, i) => [name, given[i]]));
  }

  function readContent(content: ImportRecord['content']): Row['asks'] {
    if ('problem' in content)
      return { problems: [{ field: 'row', reason: content.problem }], isUnreadable: true };
    if ('value' in content) {
      return isObject(content.value)
        ? readRow(readFields(format!, flatten(content.value)), normaliseUrl)
        : { problems: [{ field: 'row', reason: 'must be a JSON object' }] };
    }
    if (content.cells.length === names.length)
      return readRow(readFields(format!, columnsOf(content.cells)), normaliseUrl);
    const reason = `has ${content.cells.length} cells, and the first row of the file ${names.length}`;
    return { problems: [{ field: 'row', reason }] };
  }

  return ({ line, content }) => ({ line, text: () => textOf(content), asks: readContent(content) });
}

/** The names of the columns that the first record of a file has; undefined when it has none. */
export function columnNamesOf({ content }: ImportRecord): string[] | undefined {
  if ('cells' in content) return content.cells;
  if (!('value' in content) || !isObject(content.value)) return undefined;
  return [...flatten(content.value, (outer, inner) => [outer, inner].filter(Boolean).join('.')).keys()];
}

/** The entries of the list of errors that a row gets for these problems. */
export const toErrors = ({ line, text }: Row, problems: RowProblem[]): RowError[] =>
  problems.map(({ field, reason }) => ({ line, field, reason, row: text() }));

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The values of an object, and of those inside it, by name. */
function flatten(
  value: object,
  nameOf = (outer: string, inner: string) => plainName(outer + inner),
): Columns {
  const entries = Object.entries(value).flatMap(([outer, given]) =>
    isObject(given)
      ? Object.entries(given).map(([inner, deep]) => [nameOf(outer, inner), deep] as const)
      : [[nameOf(outer, ''), given] as const],
  );
  return new Map<string, unknown>(entries);
}

function textOf(content: ImportRecord['content']): string {
  const text =
    'problem' in content
      ? content.text
      : 'cells' in content
        ? stringify([content.cells]).trimEnd()
        : JSON.stringify(content.value);
  // What PostgreSQL cannot store.
  return text.slice(0, keptText).replaceAll(/[\0\p{Surrogate}]/gu, '\uFFFD');
}
