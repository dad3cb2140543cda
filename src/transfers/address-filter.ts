import { stringify } from 'csv-stringify/sync';
import { plainName } from './import-formats/format.ts';
import { type ImportRecord, readWindow, windowBytes } from './import-records.ts';
import { columnNamesOf } from './import-rows.ts';
import type { Encoding } from './transfer.ts';

/** The column in which YOURLS keeps from where a short URL was created. */
const addressColumn = 'ip';
/** What is looked at at once, in bytes: little, since a process that answers requests does it. */
const sliceBytes = 64 * 1024;
/** Stands for a line of which nobody knows whether it holds an address. */
const leftOut = 'left out: it cannot be read, and may hold an address';

const start = { bytes: 0, lines: 0 };

/** A file as it comes, without what stands in its column of addresses: it is never stored, not even for the time of an import. A file
 *  without such a column passes as it is. */
export async function* leaveOutAddresses(
  encoding: Encoding,
  source: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  let write: ((records: ImportRecord[]) => Buffer) | undefined;
  let passes = false;
  let isInLongLine = false;

  function* take(isLast: boolean): Generator<Buffer> {
    const { records, end } = readWindow(encoding, { bytes: rest, at: start, isLast });
    if (end.bytes === 0 && !isLast && rest.length <= windowBytes) return;
    const [first] = records;
    if (!write) {
      const columns = (first && columnNamesOf(first)) ?? [];
      const place = columns.map(plainName).indexOf(addressColumn);
      passes = place < 0;
      write = (some) => writeWithout(place, columns[place] ?? '', some);
    }
    yield passes ? rest : write(records);
    // A line that fills a whole window is too long to be imported anyway.
    isInLongLine = !passes && end.bytes === 0 && !isLast;
    rest = passes || isInLongLine ? Buffer.alloc(0) : rest.subarray(end.bytes);
  }

  /** Leaves out the rest of a line that is too long. */
  function* skip(): Generator<Buffer> {
    const lineEnd = rest.indexOf('\n');
    isInLongLine = lineEnd < 0;
    rest = isInLongLine ? Buffer.alloc(0) : rest.subarray(lineEnd + 1);
    if (!isInLongLine) yield Buffer.from(stringify([[leftOut]]));
  }

  for await (const part of source) {
    if (passes) yield part;
    else {
      rest = rest.length === 0 ? part : Buffer.concat([rest, part]);
      if (isInLongLine) yield* skip();
      if (rest.length >= sliceBytes) yield* take(false);
    }
  }
  if (rest.length > 0) yield* take(true);
}

/** Records as a file, without what stands in the cell at this place, or under this name. */
function writeWithout(place: number, name: string, records: ImportRecord[]): Buffer {
  const lines = records.map(({ content }) => {
    if ('problem' in content) return stringify([[leftOut]]);
    if ('value' in content) return `${JSON.stringify({ ...(content.value as object), [name]: undefined })}\n`;
    const cells = content.cells.map((cell, at) =>
      at === place && plainName(cell) !== addressColumn ? '' : cell,
    );
    return stringify([cells], { quoted_match: /\r/ });
  });
  return Buffer.from(lines.join(''));
}
