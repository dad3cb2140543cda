import { findFormat, type RequestedFormat } from '../formats/formats.ts';
import { readWindow } from './records.ts';

const delimiters = [',', ';', '\t', '|'];

const start = { bytes: 0, lines: 0 };

/** The line with which Excel declares the delimiter. */
const sepLine = /^\s*"?sep=([^\r\n"])"?(?=\r?\n)/i;

/** Finds the delimiter of a CSV file: from a `sep=` line, else the one with which the first row has a known format, else the one with most
 *  cells. `begin` has an empty line instead of the `sep=` line. */
export function findDelimiter(
  head: Buffer,
  isWhole: boolean,
  requested: RequestedFormat,
): { delimiter: string; begin: Buffer } {
  const [line, named] = sepLine.exec(head.toString('latin1', 0, 100)) ?? [];
  if (line && named) return { delimiter: named, begin: head.subarray(line.length) };
  const rows = delimiters.map((delimiter) => ({ delimiter, names: firstRow(head, isWhole, delimiter) }));
  const known = rows.find(({ names }) => findFormat(requested, names));
  const widest = rows.toSorted((a, b) => b.names.length - a.names.length)[0]!;
  return { delimiter: (known ?? widest).delimiter, begin: head };
}

/** Bytes in which the first row is searched first; usually it is shorter. */
const usualBytes = 8 * 1024;

function firstRow(head: Buffer, isWhole: boolean, delimiter: string): string[] {
  for (const bytes of [head.subarray(0, usualBytes), head]) {
    const isLast = isWhole && bytes.length === head.length;
    const [record] = readWindow('csv', { bytes, at: start, isLast, delimiter }).records;
    if (record) return 'cells' in record.content ? record.content.cells : [];
  }
  return [];
}
