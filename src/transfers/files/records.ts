import type { Encoding } from '../transfer.ts';
import { readCsv } from './csv-records.ts';
import { newline } from './lines.ts';
import { readNdjson } from './ndjson-records.ts';
import { createRecordCollector } from './record-collector.ts';
import {
  type FileWindow,
  type ImportRecord,
  maxRecordBytes,
  type Position,
  tooLong,
  unreadable,
} from './record.ts';

/** Bytes of a file that are read at once. */
export const windowBytes = 4 * maxRecordBytes;
/** Unreadable rows after which the file is rejected. */
export const maxUnreadable = 1_000;
export const tooManyUnreadable = `More than ${maxUnreadable} rows are unreadable.`;
const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);

/** Removes the byte order mark of a file. */
export const withoutByteOrderMark = (begin: Buffer) =>
  begin.subarray(0, byteOrderMark.length).equals(byteOrderMark)
    ? begin.subarray(byteOrderMark.length)
    : begin;

/** Reads the complete records of a window, and the position after them, which is the start of the window when it has none. */
export function readWindow(encoding: Encoding, window: FileWindow) {
  const { bytes, isLast } = window;
  const whole = isLast ? bytes : bytes.subarray(0, bytes.lastIndexOf(newline) + 1);
  const collector = createRecordCollector(whole, window.at);
  if (encoding === 'csv') readCsv(whole, collector, window);
  else readNdjson(whole, collector);
  return { records: collector.records, end: collector.end };
}

/** The record of a line that does not fit a window and ends at `end`. */
export const longLine = (bytes: Buffer, at: Position, end: number): ImportRecord => ({
  line: at.lines + 1,
  content: unreadable(tooLong, bytes),
  end: { bytes: end, lines: at.lines + 1 },
});
