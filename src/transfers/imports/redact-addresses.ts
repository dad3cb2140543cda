import type { RecordContent } from '../files/record.ts';
import { maxUnreadable, tooManyUnreadable } from '../files/records.ts';
import { type Encoding, UploadRejected } from '../transfer.ts';
import { trimEmptyCells } from './parse-row.ts';
import { isAddressColumn, isSecretColumn, redact } from './redaction.ts';
import { readContents, readFirstRow } from './upload-records.ts';

/** Replaces unreadable text, which may contain an address. */
const redactedText = 'redacted: unreadable, may contain an address';

/** Serializes contents without addresses. */
type Write = (contents: RecordContent[]) => string;

const isRedacted = (column: string) => isAddressColumn(column) || isSecretColumn(column);

/** Removes the values of address and secret columns from a stream, so that they are never stored. A CSV file without such a column passes
 *  unchanged. Throws UploadRejected when the header of a CSV file, or too many of its rows, are unreadable. */
export async function* redactAddresses(
  encoding: Encoding,
  source: AsyncIterable<Buffer>,
  delimiter = ',',
): AsyncGenerator<Buffer> {
  if (encoding === 'ndjson') {
    yield* rewrite(readContents(encoding, source), writeObjects);
    return;
  }
  const parts = source[Symbol.asyncIterator]();
  try {
    const { begin, first, isWhole } = await readFirstRow(parts, delimiter);
    const columns = !first && isWhole ? [] : columnsOf(first);
    const all = prepend(begin, parts);
    yield* columns.some(isRedacted)
      ? rewrite(readContents(encoding, all, delimiter), createRowWriter(columns, delimiter))
      : all;
  } finally {
    await parts.return?.();
  }
}

function columnsOf(first: RecordContent | undefined): string[] {
  if (first && 'cells' in first) return first.cells;
  throw new UploadRejected('The first row of the file is unreadable.');
}

async function* prepend(begin: Buffer, parts: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  yield begin;
  yield* { [Symbol.asyncIterator]: () => parts };
}

async function* rewrite(source: AsyncIterable<RecordContent[]>, write: Write): AsyncGenerator<Buffer> {
  let unreadable = 0;
  for await (const contents of source) {
    unreadable += contents.filter((content) => 'problem' in content).length;
    if (unreadable > maxUnreadable) throw new UploadRejected(tooManyUnreadable);
    if (contents.length > 0) yield Buffer.from(write(contents));
  }
}

/** Redacts the address columns of rows with the right number of cells, and whole rows with another number. */
function createRowWriter(columns: readonly string[], delimiter: string): Write {
  const redacted = [...columns.entries()].filter(([, column]) => isRedacted(column));
  const rowOf = (content: RecordContent) => {
    if (!('cells' in content)) return [redactedText];
    const cells = trimEmptyCells(content.cells, columns.length);
    if (cells.length !== columns.length) return cells.map((_, at) => (at === 0 ? redactedText : ''));
    for (const [at, column] of redacted) {
      const cell = cells[at]!;
      // The header row keeps its names.
      if (!isRedacted(cell)) cells[at] = redact(column, cell) ?? '';
    }
    return cells;
  };
  const quoteCell = (cell: string) =>
    /["\r\n]/.test(cell) || cell.includes(delimiter) ? `"${cell.replaceAll('"', '""')}"` : cell;
  return (contents) =>
    contents.map((content) => `${rowOf(content).map(quoteCell).join(delimiter)}\n`).join('');
}

const writeObjects: Write = (contents) =>
  contents
    .map((content) => `${JSON.stringify('value' in content ? content.value : redactedText, redact)}\n`)
    .join('');
