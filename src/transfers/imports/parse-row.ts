import { stringify } from 'csv-stringify/sync';
import { createDestinationPolicy } from '../../urls/input/destination-policy.ts';
import type { ImportRecord, RecordContent } from '../files/record.ts';
import { createFieldReader, plainName } from '../formats/format.ts';
import { findFormat } from '../formats/formats.ts';
import { undoFormulaGuard } from '../rows/formula-guard.ts';
import {
  type Fields,
  readRow,
  type RowProblem,
  type RowWarning,
  type ImportedUrl,
} from '../rows/row-schema.ts';
import type { Import } from './import.ts';
import { redactCell } from './redaction.ts';
import type { RowError, StoredWarning } from './report-store.ts';

/** Characters of a row that are stored with its errors. */
const maxStoredText = 1_000;

/** A row of an import: its short URL, or why it is invalid. */
export interface Row {
  line: number;
  /** The row approximately as in the file, without addresses. */
  text: () => string;
  parsed: { url: ImportedUrl; warnings: RowWarning[] } | { problems: RowProblem[]; isUnreadable?: boolean };
}

const invalidRow = (reason: string) => ({ problems: [{ field: 'row', reason }] });

/** Parses the rows of an import whose format is known. */
export function createRowReader(
  imported: Pick<
    Import,
    'id' | 'format' | 'mapping' | 'columns' | 'ownHosts' | 'allowsPrivate' | 'maxUrlLength' | 'schemes'
  >,
  isBlocked: (url: string) => boolean,
): (record: ImportRecord) => Row {
  const names = (imported.columns ?? []).map(plainName);
  const format = imported.format === 'auto' ? undefined : findFormat(imported, names)?.format;
  if (!format) throw new Error(`the format of import ${imported.id} is unknown`);
  const normaliseUrl = createDestinationPolicy({
    ownHosts: imported.ownHosts,
    allowPrivate: imported.allowsPrivate,
    maxLength: imported.maxUrlLength,
    schemes: imported.schemes,
    isBlocked,
  });

  // Of columns with the same name, the last one counts.
  const placeOf = new Map(names.map((name, i) => [name, i]));
  const readCellFields = createFieldReader(format, (column) => placeOf.has(column));
  const readObjectFields = createFieldReader(format);

  function readCells(cells: string[]): Row['parsed'] {
    const cellOf = (column: string) => cells[placeOf.get(column)!];
    return readUrl(
      readCellFields(format!.cellsAreGuarded ? (column) => undoFormulaGuard(cellOf(column)!) : cellOf),
    );
  }

  function readUrl(fields: Fields): Row['parsed'] {
    if (format!.codeIsOptional || fields.short_code !== undefined || fields.original_url === undefined)
      return readRow(fields, normaliseUrl);
    return { problems: [{ field: 'short_code', reason: 'is required' }] };
  }

  function readContent(content: RecordContent): Row['parsed'] {
    if ('problem' in content)
      return {
        problems: [{ field: 'row', code: 'unreadable', reason: content.problem }],
        isUnreadable: true,
      };
    if ('value' in content) {
      return isObject(content.value)
        ? readUrl(readObjectFields(valueIn(flatten(content.value))))
        : invalidRow('must be a JSON object');
    }
    const cells = trimEmptyCells(content.cells, names.length);
    if (cells.length === names.length) return readCells(cells);
    return invalidRow(`has ${cells.length} cells, but the first row of the file has ${names.length}`);
  }

  return ({ line, content }) => ({ line, text: () => textOf(content), parsed: readContent(content) });
}

/** Removes the empty cells that spreadsheets append to rows. */
export function trimEmptyCells(cells: string[], length: number): string[] {
  return cells.length > length && cells.slice(length).every((cell) => cell.trim() === '')
    ? cells.slice(0, length)
    : cells;
}

/** The column names in the first record of a file; undefined when it has none. */
export function columnNamesOf({ content }: Pick<ImportRecord, 'content'>): string[] | undefined {
  if ('cells' in content) return content.cells;
  if (!('value' in content) || !isObject(content.value)) return undefined;
  return [...flatten(content.value, (outer, inner) => [outer, inner].filter(Boolean).join('.')).keys()];
}

/** The errors of a row. */
export const toErrors = ({ line, text }: Row, problems: RowProblem[]): RowError[] =>
  problems.map(({ field, code = 'invalid', reason }) => ({ line, field, code, reason, row: text() }));

/** The warnings of a row. */
export const toWarnings = ({ line }: Row, warnings: RowWarning[]): StoredWarning[] =>
  warnings.map(({ field, code, reason }) => ({ line, field, code, reason }));

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const valueIn = (values: Map<string, unknown>) => (name: string) => values.get(name);

/** The values of an object and its inner objects, by name. */
function flatten(
  value: object,
  nameOf = (outer: string, inner: string) => plainName(outer + inner),
): Map<string, unknown> {
  const entries = Object.entries(value).flatMap(([outer, given]) =>
    isObject(given)
      ? Object.entries(given).map(([inner, deep]) => [nameOf(outer, inner), deep] as const)
      : [[nameOf(outer, ''), given] as const],
  );
  return new Map<string, unknown>(entries);
}

function textOf(content: RecordContent): string {
  const text =
    'problem' in content
      ? content.text
      : 'cells' in content
        ? stringify([content.cells.map(redactCell)]).trimEnd()
        : JSON.stringify(content.value, (_, value: unknown) =>
            typeof value === 'string' ? redactCell(value) : value,
          );
  // Characters that PostgreSQL cannot store.
  return text.slice(0, maxStoredText).replaceAll(/[\0\p{Surrogate}]/gu, '\uFFFD');
}
