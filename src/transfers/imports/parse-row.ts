import { stringify } from 'csv-stringify/sync';
import { createDestinationPolicy } from '../../urls/input/destination-policy.ts';
import type { ImportRecord } from '../files/records.ts';
import { type Columns, plainName, readFields } from '../formats/format.ts';
import { findFormat } from '../formats/formats.ts';
import { undoFormulaGuard } from '../rows/formula-guard.ts';
import { readRow, type RowProblem, type RowWarning, type WantedUrl } from '../rows/row-schema.ts';
import { withoutAddress } from './redaction.ts';
import type { Import, RowError, StoredWarning } from './store.ts';

/** What is kept of a row for the list of errors, in characters. */
const keptText = 1_000;

/** A row of an import: the short URL that it asks for, or why it asks for none. */
export interface Row {
  line: number;
  /** The row as it stands in the file, about, without addresses. */
  text: () => string;
  asks: { url: WantedUrl; warnings: RowWarning[] } | { problems: RowProblem[]; isUnreadable?: boolean };
}

const invalidRow = (reason: string) => ({ problems: [{ field: 'row', reason }] });

/** What reads the rows of an import whose format is known. */
export function createRowReader(
  wanted: Pick<
    Import,
    'id' | 'format' | 'mapping' | 'columns' | 'ownHosts' | 'allowsPrivate' | 'maxUrlLength' | 'schemes'
  >,
  isBlocked: (url: string) => boolean,
): (record: ImportRecord) => Row {
  const names = (wanted.columns ?? []).map(plainName);
  const format = wanted.format === 'auto' ? undefined : findFormat(wanted, names)?.format;
  if (!format) throw new Error(`the format of import ${wanted.id} is not known`);
  const normaliseUrl = createDestinationPolicy({
    ownHosts: wanted.ownHosts,
    allowPrivate: wanted.allowsPrivate,
    maxLength: wanted.maxUrlLength,
    schemes: wanted.schemes,
    isBlocked,
  });

  function columnsOf(cells: string[]): Columns {
    const given = format!.cellsAreGuarded ? cells.map(undoFormulaGuard) : cells;
    return new Map(names.map((name, i) => [name, given[i]]));
  }

  function readColumns(columns: Columns): Row['asks'] {
    const fields = readFields(format!, columns);
    if (format!.codeIsOptional || fields.short_code !== undefined || fields.original_url === undefined)
      return readRow(fields, normaliseUrl);
    return { problems: [{ field: 'short_code', reason: 'is required' }] };
  }

  function readContent(content: ImportRecord['content']): Row['asks'] {
    if ('problem' in content)
      return {
        problems: [{ field: 'row', code: 'unreadable', reason: content.problem }],
        isUnreadable: true,
      };
    if ('value' in content) {
      return isObject(content.value)
        ? readColumns(flatten(content.value))
        : invalidRow('must be a JSON object');
    }
    const cells = withoutEmptyEnd(content.cells, names.length);
    if (cells.length === names.length) return readColumns(columnsOf(cells));
    return invalidRow(`has ${cells.length} cells, and the first row of the file ${names.length}`);
  }

  return ({ line, content }) => ({ line, text: () => textOf(content), asks: readContent(content) });
}

/** Cells without the empty ones that spreadsheets append to rows. */
export function withoutEmptyEnd(cells: string[], length: number): string[] {
  return cells.length > length && cells.slice(length).every((cell) => cell.trim() === '')
    ? cells.slice(0, length)
    : cells;
}

/** The names of the columns that the first record of a file has; undefined when it has none. */
export function columnNamesOf({ content }: Pick<ImportRecord, 'content'>): string[] | undefined {
  if ('cells' in content) return content.cells;
  if (!('value' in content) || !isObject(content.value)) return undefined;
  return [...flatten(content.value, (outer, inner) => [outer, inner].filter(Boolean).join('.')).keys()];
}

/** The entries of the list of errors that a row gets for these problems. */
export const toErrors = ({ line, text }: Row, problems: RowProblem[]): RowError[] =>
  problems.map(({ field, code = 'invalid', reason }) => ({ line, field, code, reason, row: text() }));

/** The entries of the list of warnings that a row gets. */
export const toWarnings = ({ line }: Row, warnings: RowWarning[]): StoredWarning[] =>
  warnings.map(({ field, code, reason }) => ({ line, field, code, reason }));

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
        ? stringify([content.cells.map(withoutAddress)]).trimEnd()
        : JSON.stringify(content.value, (_, value: unknown) =>
            typeof value === 'string' ? withoutAddress(value) : value,
          );
  // What PostgreSQL cannot store.
  return text.slice(0, keptText).replaceAll(/[\0\p{Surrogate}]/gu, '\uFFFD');
}
