import { stringify } from 'csv-stringify/sync';
import { plainName } from './import-formats/format.ts';
import { type ImportRecord, maxUnreadable, tooManyUnreadable } from './import-records.ts';
import { type Encoding, UploadRefused } from './transfer.ts';
import { readContents, readFirstRow } from './upload-records.ts';

/** Stands for what nobody knows to hold no address. */
const leftOut = 'left out: it cannot be read, and may hold an address';

type Content = ImportRecord['content'];
/** Contents as a file holds them, without addresses. */
type Write = (contents: Content[]) => string;

/** Whether YOURLS keeps there from where a short URL was created. */
const isOfAddresses = (column: string) => plainName(column) === 'ip';

/** A file as it comes, without what stands under the name of addresses: that is never stored, not even for the time of an import. A CSV
 *  file without such a column passes as it is. Throws UploadRefused when the columns of a CSV file, or too many rows of one that is
 *  looked through, cannot be read. */
export async function* leaveOutAddresses(
  encoding: Encoding,
  source: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer> {
  if (encoding === 'ndjson') {
    yield* rewrite(encoding, source, writeObjects);
    return;
  }
  const parts = source[Symbol.asyncIterator]();
  try {
    const { begin, first, isWhole } = await readFirstRow(parts);
    const columns = !first && isWhole ? [] : columnsOf(first);
    const all = prepend(begin, parts);
    yield* columns.some(isOfAddresses) ? rewrite(encoding, all, createRowWriter(columns)) : all;
  } finally {
    await parts.return?.();
  }
}

function columnsOf(first: Content | undefined): string[] {
  if (first && 'cells' in first) return first.cells;
  throw new UploadRefused('The first row of the file cannot be read.');
}

async function* prepend(begin: Buffer, parts: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  yield begin;
  yield* { [Symbol.asyncIterator]: () => parts };
}

async function* rewrite(
  encoding: Encoding,
  source: AsyncIterable<Buffer>,
  write: Write,
): AsyncGenerator<Buffer> {
  let unreadable = 0;
  for await (const contents of readContents(encoding, source)) {
    unreadable += contents.filter((content) => 'problem' in content).length;
    if (unreadable > maxUnreadable) throw new UploadRefused(tooManyUnreadable);
    if (contents.length > 0) yield Buffer.from(write(contents));
  }
}

/** Rows that have as many cells as there are columns lose those of addresses; of others nobody knows which those are. */
function createRowWriter(columns: readonly string[]): Write {
  const hold = columns.map(isOfAddresses);
  // The first row itself keeps its names.
  const write = (cell: string, at: number) => (hold[at] && !isOfAddresses(cell) ? '' : cell);
  const rowOf = (content: Content) => {
    if (!('cells' in content)) return [leftOut];
    const { cells } = content;
    return cells.length === columns.length
      ? cells.map(write)
      : cells.map((_, at) => (at === 0 ? leftOut : ''));
  };
  return (contents) => stringify(contents.map(rowOf), { quoted_match: /\r/ });
}

const withoutAddress = (name: string, value: unknown) => (isOfAddresses(name) ? undefined : value);

const writeObjects: Write = (contents) =>
  contents
    .map((content) => `${JSON.stringify('value' in content ? content.value : leftOut, withoutAddress)}\n`)
    .join('');
