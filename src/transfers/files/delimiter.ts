import { findFormat, type WantedFormat } from '../formats/formats.ts';
import { readWindow } from './records.ts';

const delimiters = [',', ';', '\t', '|'];

const start = { bytes: 0, lines: 0 };

/** The line with which Excel says what separates cells. */
const sepLine = /^\s*"?sep=([^\r\n"])"?(?=\r?\n)/i;

/** What separates the cells of a CSV file that begins so: what a line `sep=` names, else that with which its first row is known,
 *  else that with which it has most cells. `begin` has an empty line instead of the line `sep=`. */
export function findDelimiter(
  head: Buffer,
  isWhole: boolean,
  wanted: WantedFormat,
): { delimiter: string; begin: Buffer } {
  const [line, named] = sepLine.exec(head.toString('latin1', 0, 100)) ?? [];
  if (line && named) return { delimiter: named, begin: head.subarray(line.length) };
  const rows = delimiters.map((delimiter) => ({ delimiter, names: firstRow(head, isWhole, delimiter) }));
  const known = rows.find(({ names }) => findFormat(wanted, names));
  const widest = rows.toSorted((a, b) => b.names.length - a.names.length)[0]!;
  return { delimiter: (known ?? widest).delimiter, begin: head };
}

/** Most bytes of a first row, usually: no more is parsed to find it. */
const usualBytes = 8 * 1024;

function firstRow(head: Buffer, isWhole: boolean, delimiter: string): string[] {
  for (const bytes of [head.subarray(0, usualBytes), head]) {
    const isLast = isWhole && bytes.length === head.length;
    const [record] = readWindow('csv', { bytes, at: start, isLast, delimiter }).records;
    if (record) return 'cells' in record.content ? record.content.cells : [];
  }
  return [];
}
