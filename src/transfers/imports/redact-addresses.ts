import { stringify } from 'csv-stringify/sync';
import { type ImportRecord, maxUnreadable, tooManyUnreadable } from '../files/records.ts';
import { type Encoding, UploadRejected } from '../transfer.ts';
import { withoutEmptyEnd } from './parse-row.ts';
import { isOfAddresses, isOfSecrets, redact } from './redaction.ts';
import { readContents, readFirstRow } from './upload-records.ts';

/** Stands for what nobody knows to hold no address. */
const leftOut = 'left out: it cannot be read, and may hold an address';

type Content = ImportRecord['content'];
/** Contents as a file holds them, without addresses. */
type Write = (contents: Content[]) => string;

const isRedacted = (column: string) => isOfAddresses(column) || isOfSecrets(column);

/** A file as it comes, without what columns of addresses and secrets hold: that is never stored, not even for the time of an import. A
 *  CSV file without such a column passes as it is. Throws UploadRejected when the columns of a CSV file, or too many rows of one that is
 *  looked through, cannot be read. */
export async function* leaveOutAddresses(
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

function columnsOf(first: Content | undefined): string[] {
  if (first && 'cells' in first) return first.cells;
  throw new UploadRejected('The first row of the file cannot be read.');
}

async function* prepend(begin: Buffer, parts: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  yield begin;
  yield* { [Symbol.asyncIterator]: () => parts };
}

async function* rewrite(source: AsyncIterable<Content[]>, write: Write): AsyncGenerator<Buffer> {
  let unreadable = 0;
  for await (const contents of source) {
    unreadable += contents.filter((content) => 'problem' in content).length;
    if (unreadable > maxUnreadable) throw new UploadRejected(tooManyUnreadable);
    if (contents.length > 0) yield Buffer.from(write(contents));
  }
}

/** Rows that have as many cells as there are columns lose those of addresses; of others nobody knows which those are. */
function createRowWriter(columns: readonly string[], delimiter: string): Write {
  // The first row itself keeps its names.
  const write = (cell: string, at: number) => (isRedacted(cell) ? cell : (redact(columns[at]!, cell) ?? ''));
  const rowOf = (content: Content) => {
    if (!('cells' in content)) return [leftOut];
    const cells = withoutEmptyEnd(content.cells, columns.length);
    return cells.length === columns.length
      ? cells.map(write)
      : cells.map((_, at) => (at === 0 ? leftOut : ''));
  };
  return (contents) => stringify(contents.map(rowOf), { delimiter, quoted_match: /\r/ });
}

const writeObjects: Write = (contents) =>
  contents
    .map((content) => `${JSON.stringify('value' in content ? content.value : leftOut, redact)}\n`)
    .join('');
