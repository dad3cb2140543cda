import { newline } from '../files/lines.ts';
import type { ImportRecord, Position } from '../files/record.ts';
import { longLine, readWindow, windowBytes, withoutByteOrderMark } from '../files/records.ts';
import type { Encoding } from '../transfer.ts';

/** Reads `length` bytes of a file from byte `from`; fewer only at its end. */
type ReadBytes = (from: number, length: number) => Promise<Buffer>;

export type ImportFile = ReturnType<typeof createImportFile>;

/** A file that is read in windows, from any position. */
export function createImportFile(encoding: Encoding, bytes: number, read: ReadBytes, delimiter = ',') {
  async function endOfLine(from: number): Promise<number> {
    for (let at = from; at < bytes; at += windowBytes) {
      const found = (await read(at, windowBytes)).indexOf(newline);
      if (found >= 0) return at + found + 1;
    }
    return bytes;
  }

  return {
    /** Some records from `at`, and the position after them; undefined at the end of the file. */
    async readNext(at: Position): Promise<{ records: ImportRecord[]; end: Position } | undefined> {
      if (at.bytes >= bytes) return undefined;
      const given = await read(at.bytes, windowBytes);
      const content = at.bytes === 0 ? withoutByteOrderMark(given) : given;
      const from = { bytes: at.bytes + given.length - content.length, lines: at.lines };
      const isLast = at.bytes + given.length >= bytes;
      const found = readWindow(encoding, { bytes: content, at: from, isLast, delimiter });
      if (found.end.bytes > from.bytes || isLast) return found;
      const record = longLine(content, from, await endOfLine(from.bytes));
      return { records: [record], end: record.end };
    },
  };
}
