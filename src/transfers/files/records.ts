import type { CsvError } from 'csv-parse';
import { parse } from 'csv-parse/sync';
import type { Encoding } from '../transfer.ts';

/** Longest record, in bytes: several times the size of a short URL with all its fields. */
export const maxRecordBytes = 64 * 1024;
/** Bytes of a file that are read at once. */
export const windowBytes = 4 * maxRecordBytes;
/** Deepest JSON value. */
const maxDepth = 100;
/** Bytes of an unreadable record that are shown. */
const shownBytes = 1_000;
/** Unreadable rows after which the file is rejected. */
export const maxUnreadable = 1_000;
export const tooManyUnreadable = `More than ${maxUnreadable} rows are unreadable.`;
/** Unreadable rows per window; an unreadable row takes as long as hundreds of others. */
const maxUnreadableAtOnce = 100;

const newline = 0x0a;
const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);

/** A position in a file, between two records. */
export interface Position {
  /** Bytes before the position. */
  bytes: number;
  /** Line ends before the position. */
  lines: number;
}

/** A record of a file: its cells, its value, or why it is unreadable. */
export interface ImportRecord {
  /** The number of its first line, from 1. */
  line: number;
  content: { cells: string[] } | { value: unknown } | { problem: string; text: string };
  /** The position after it. */
  end: Position;
}

type Content = ImportRecord['content'];

/** A part of a file that starts at a record. */
export interface FileWindow {
  bytes: Buffer;
  at: Position;
  /** Whether the file ends with it. */
  isLast: boolean;
  /** The delimiter of a CSV file; the default is a comma. */
  delimiter?: string | undefined;
}

/** Removes the byte order mark of a file. */
export const withoutByteOrderMark = (begin: Buffer) =>
  begin.subarray(0, byteOrderMark.length).equals(byteOrderMark)
    ? begin.subarray(byteOrderMark.length)
    : begin;

/** Reads the complete records of a window, and the position after them, which is the start of the window when it has none. */
export function readWindow(encoding: Encoding, window: FileWindow) {
  const { bytes, isLast } = window;
  const whole = isLast ? bytes : bytes.subarray(0, bytes.lastIndexOf(newline) + 1);
  const notes = createNotes(whole, window.at);
  if (encoding === 'csv') readCsv(whole, notes, window);
  else readLines(whole, notes);
  return { records: notes.records, end: notes.end };
}

/** The record of a line that does not fit a window and ends at `end`. */
export const longLine = (bytes: Buffer, at: Position, end: number): ImportRecord => ({
  line: at.lines + 1,
  content: problem(tooLong, bytes),
  end: { bytes: end, lines: at.lines + 1 },
});

type Notes = ReturnType<typeof createNotes>;

/** Collects records in their order, with their line numbers. */
function createNotes(whole: Buffer, at: Position) {
  const records: ImportRecord[] = [];
  let unreadable = 0;
  let done = 0;
  let lines = at.lines;

  function moveTo(end: number): void {
    lines += countLines(whole, done, end);
    done = end;
  }

  /** Adds the content up to this byte of the window. */
  function note(end: number, content: Content): void {
    moveTo(skipEmptyLines(whole, done));
    const line = lines + 1;
    moveTo(end);
    records.push({ line, content, end: { bytes: at.bytes + end, lines } });
  }

  return {
    records,
    note,
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
      return unreadable >= maxUnreadableAtOnce;
    },

    /** Adds the next line, which is unreadable for this reason, or readable only by `readAlone`. */
    noteLine(reason: string, readAlone?: (line: Buffer) => string[] | undefined): void {
      unreadable += 1;
      const begin = skipEmptyLines(whole, done);
      const end = endOfLine(whole, begin);
      const line = whole.subarray(begin, end);
      const cells = readAlone?.(line);
      note(end, cells ? { cells } : problem(reason, line));
    },
  };
}

const tooLong = `must not be longer than ${maxRecordBytes} bytes`;

const problem = (reason: string, text: Buffer): Content => ({
  problem: reason,
  text: text.toString('utf8', 0, shownBytes).trimEnd(),
});

function skipEmptyLines(bytes: Buffer, from: number): number {
  let at = from;
  while (bytes[at] === newline || (bytes[at] === 0x0d && bytes[at + 1] === newline)) at += 1;
  return at;
}

function endOfLine(bytes: Buffer, from: number): number {
  const found = bytes.indexOf(newline, from);
  return found < 0 ? bytes.length : found + 1;
}

function countLines(bytes: Buffer, from: number, to: number): number {
  let count = 0;
  for (let at = bytes.indexOf(newline, from); at >= 0 && at < to; at = bytes.indexOf(newline, at + 1))
    count += 1;
  return count;
}

/** Errors of csv-parse, as the end of a sentence that begins with the row. */
const csvProblems: Partial<Record<CsvError['code'], string>> = {
  CSV_QUOTE_NOT_CLOSED: 'has a quotation mark that is not closed',
  CSV_INVALID_CLOSING_QUOTE: 'has text after a closing quotation mark',
  INVALID_OPENING_QUOTE: 'has a quotation mark inside an unquoted cell',
  CSV_MAX_RECORD_SIZE: tooLong,
};

function readCsv(whole: Buffer, notes: Notes, { isLast, delimiter = ',' }: FileWindow): void {
  const readLoosely = (line: Buffer) => readWithQuotes(line, delimiter);
  while (notes.done < whole.length && !notes.hasTooManyErrors) {
    const code = readCsvRows(whole, notes, delimiter);
    if (code === undefined) return;
    // A record that continues after the window is complete in the next one, which starts with it.
    if (code === 'CSV_QUOTE_NOT_CLOSED' && !isLast && whole.length - notes.done < maxRecordBytes) return;
    notes.noteLine(csvProblems[code]!, code === 'INVALID_OPENING_QUOTE' ? readLoosely : undefined);
    // Detecting this error reads the rest of the window: once per window is enough.
    if (code === 'CSV_QUOTE_NOT_CLOSED' || code === 'CSV_MAX_RECORD_SIZE') return;
  }
}

/** Reads records up to the end or to an unreadable one; returns the error of that record. */
function readCsvRows(whole: Buffer, notes: Notes, delimiter: string): CsvError['code'] | undefined {
  const begin = notes.done;
  try {
    parse(whole.subarray(begin), {
      delimiter,
      record_delimiter: ['\r\n', '\n'],
      relax_column_count: true,
      skip_empty_lines: true,
      max_record_size: maxRecordBytes,
      on_record: (cells: string[], { bytes }) => {
        notes.note(begin + bytes, { cells });
        return null;
      },
    });
    notes.moveTo(whole.length);
    return undefined;
  } catch (error) {
    const { code } = error as CsvError;
    if (csvProblems[code] === undefined) throw error;
    return code;
  }
}

/** The cells of one line with quotation marks inside unquoted cells, such as `7" tablet`. */
function readWithQuotes(line: Buffer, delimiter: string): string[] | undefined {
  const options = {
    delimiter,
    record_delimiter: ['\r\n', '\n'],
    relax_quotes: true,
    relax_column_count: true,
  };
  try {
    return parse(line, options)[0];
  } catch {
    return undefined;
  }
}

function readLines(whole: Buffer, notes: Notes): void {
  for (
    let begin = skipEmptyLines(whole, 0);
    begin < whole.length && !notes.hasTooManyErrors;
    begin = skipEmptyLines(whole, notes.done)
  ) {
    const end = endOfLine(whole, begin);
    const found = end - begin > maxRecordBytes ? tooLong : parseJson(whole.toString('utf8', begin, end));
    if (typeof found === 'string') notes.noteLine(found);
    else notes.note(end, found);
  }
  if (!notes.hasTooManyErrors) notes.moveTo(whole.length);
}

/** Parses JSON; returns why the text is invalid, or nested so deeply that serializing it would overflow the stack. */
function parseJson(text: string): { value: unknown } | string {
  try {
    const value: unknown = JSON.parse(text);
    return isDeeper(value, maxDepth) ? 'is nested too deeply' : { value };
  } catch {
    return 'is not JSON';
  }
}

const isDeeper = (value: unknown, levels: number): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1)));
