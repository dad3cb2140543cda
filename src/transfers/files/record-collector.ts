import { countLines, endOfLine, skipEmptyLines } from './lines.ts';
import { type ImportRecord, type Position, type RecordContent, unreadable } from './record.ts';

/** Unreadable rows per window; an unreadable row takes as long as hundreds of others. */
const maxUnreadableAtOnce = 100;

export type RecordCollector = ReturnType<typeof createRecordCollector>;

/** Collects records in their order, with their line numbers. */
export function createRecordCollector(whole: Buffer, at: Position) {
  const records: ImportRecord[] = [];
  let unreadableCount = 0;
  let done = 0;
  let lines = at.lines;

  function moveTo(end: number): void {
    lines += countLines(whole, done, end);
    done = end;
  }

  /** Adds the content up to this byte of the window. */
  function add(end: number, content: RecordContent): void {
    moveTo(skipEmptyLines(whole, done));
    const line = lines + 1;
    moveTo(end);
    records.push({ line, content, end: { bytes: at.bytes + end, lines } });
  }

  return {
    records,
    add,
    moveTo,

    /** Bytes of the window that are read. */
    get done(): number {
      return done;
    },

    /** The position in the file after the bytes that are read. */
    get end(): Position {
      return { bytes: at.bytes + done, lines };
    },

    /** Whether this window has its maximum of unreadable rows. */
    get hasTooManyErrors(): boolean {
      return unreadableCount >= maxUnreadableAtOnce;
    },

    /** Adds the next line, which is unreadable for this reason, or readable only by `readAlone`. */
    addLine(reason: string, readAlone?: (line: Buffer) => string[] | undefined): void {
      unreadableCount += 1;
      const begin = skipEmptyLines(whole, done);
      const end = endOfLine(whole, begin);
      const line = whole.subarray(begin, end);
      const cells = readAlone?.(line);
      add(end, cells ? { cells } : unreadable(reason, line));
    },
  };
}
