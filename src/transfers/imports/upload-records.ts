import { createTurns } from '../files/parts.ts';
import type { RecordContent } from '../files/record.ts';
import { longLine, readWindow, windowBytes, withoutByteOrderMark } from '../files/records.ts';
import type { Encoding } from '../transfer.ts';

/** Bytes that are parsed before other requests of the web process may get a turn. */
const sliceBytes = 8 * 1024;

const start = { bytes: 0, lines: 0 };

/** Reads the contents of records from a stream, and lets other work run between batches. */
export async function* readContents(
  encoding: Encoding,
  source: AsyncIterable<Buffer>,
  delimiter?: string,
): AsyncGenerator<RecordContent[]> {
  const takeTurn = createTurns();
  let rest: Buffer = Buffer.alloc(0);
  let size = sliceBytes;
  let hasBegun = false;
  let isInLongLine = false;

  function takeSlice(isLast: boolean): RecordContent[] {
    const bytes = rest.subarray(0, size);
    const isEnd = isLast && bytes.length === rest.length;
    const { records, end } = readWindow(encoding, { bytes, at: start, isLast: isEnd, delimiter });
    const hasRecord = end.bytes > 0;
    // A longer slice, up to a window, may contain the complete record.
    isInLongLine = !hasRecord && size >= windowBytes;
    size = hasRecord || isInLongLine ? sliceBytes : size * 2;
    rest = rest.subarray(end.bytes);
    return (isInLongLine ? [longLine(bytes, start, bytes.length)] : records).map(({ content }) => content);
  }

  function skipLine(): void {
    const lineEnd = rest.indexOf('\n');
    isInLongLine = lineEnd < 0;
    rest = isInLongLine ? Buffer.alloc(0) : rest.subarray(lineEnd + 1);
  }

  function take(isLast: boolean): RecordContent[] {
    if (!hasBegun) rest = withoutByteOrderMark(rest);
    hasBegun = true;
    if (!isInLongLine) return takeSlice(isLast);
    skipLine();
    return [];
  }

  for await (const part of source) {
    rest = rest.length === 0 ? part : Buffer.concat([rest, part]);
    for (; rest.length >= size; await takeTurn()) yield take(false);
  }
  for (; rest.length > 0; await takeTurn()) yield take(true);
}

/** Reads the beginning of a CSV file up to its first row; `first` is undefined when the file has no row or a row that is too long. */
export async function readFirstRow(
  parts: AsyncIterator<Buffer>,
  delimiter?: string,
): Promise<{ begin: Buffer; first: RecordContent | undefined; isWhole: boolean }> {
  let begin: Buffer = Buffer.alloc(0);
  let isLast = false;
  for (let size = sliceBytes; ; size *= 2) {
    while (begin.length < size && !isLast) {
      const { value, done } = await parts.next();
      if (done) isLast = true;
      else begin = begin.length === 0 ? value : Buffer.concat([begin, value]);
    }
    const { records } = readWindow('csv', {
      bytes: withoutByteOrderMark(begin),
      at: start,
      isLast,
      delimiter,
    });
    if (records[0] || isLast || size >= windowBytes)
      return { begin, first: records[0]?.content, isWhole: isLast };
  }
}
