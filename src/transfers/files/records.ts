import type { CsvError } from 'csv-parse';
import { parse } from 'csv-parse/sync';
import type { Encoding } from '../transfer.ts';

/** Longest record, in bytes: several times what a short URL with all that belongs to it takes. */
export const maxRecordBytes = 64 * 1024;
/** How much of a file is looked at at once, in bytes. */
export const windowBytes = 4 * maxRecordBytes;
/** Deepest JSON value. */
const maxDepth = 100;
/** What is shown of a record that cannot be read, in bytes. */
const shownBytes = 1_000;
/** A file of which so many rows cannot be read is none that any format describes. */
export const maxUnreadable = 1_000;
export const tooManyUnreadable = `More than ${maxUnreadable} rows cannot be read.`;
/** After so many in a window those that follow are left to the next one: each takes as long as hundreds of others. */
const maxUnreadableAtOnce = 100;

const newline = 0x0a;
const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);

/** A place in a file, between two records. */
export interface Position {
  /** Bytes before it. */
  bytes: number;
  /** Ends of lines before it. */
  lines: number;
}

/** What is written in one place of a file: a record's cells, or its value, or the reason why it cannot be read. */
export interface ImportRecord {
  /** The line in which it begins, from 1 on. */
  line: number;
  content: { cells: string[] } | { value: unknown } | { problem: string; text: string };
  /** Behind it. */
  end: Position;
}

type Content = ImportRecord['content'];

/** A part of a file that begins between two records. */
export interface FileWindow {
  bytes: Buffer;
  at: Position;
  /** Whether the file ends with it. */
  isLast: boolean;
  /** What separates the cells of a CSV file; a comma unless it says so. */
  delimiter?: string | undefined;
}

/** The begin of a file, from its first record on. */
export const withoutByteOrderMark = (begin: Buffer) =>
  begin.subarray(0, byteOrderMark.length).equals(byteOrderMark)
    ? begin.subarray(byteOrderMark.length)
    : begin;

/** Records that a window holds as a whole, from its begin on, and where what follows them begins. That is where the window itself begins
 *  only when it holds none. */
export function readWindow(encoding: Encoding, window: FileWindow) {
  const { bytes, isLast } = window;
  const whole = isLast ? bytes : bytes.subarray(0, bytes.lastIndexOf(newline) + 1);
  const notes = createNotes(whole, window.at);
  if (encoding === 'csv') readCsv(whole, notes, window);
  else readLines(whole, notes);
  return { records: notes.records, end: notes.end };
}

/** The record that stands for a line which is too long for a window and ends at `end`. */
export const longLine = (bytes: Buffer, at: Position, end: number): ImportRecord => ({
  line: at.lines + 1,
  content: problem(tooLong, bytes),
  end: { bytes: end, lines: at.lines + 1 },
});

type Notes = ReturnType<typeof createNotes>;

/** Makes records of what is found, in its order, and knows in which lines that is. */
function createNotes(whole: Buffer, at: Position) {
  const records: ImportRecord[] = [];
  let unreadable = 0;
  let done = 0;
  let lines = at.lines;

  function moveTo(end: number): void {
    lines += countLines(whole, done, end);
    done = end;
  }

  /** What there is from here to this byte of the window. */
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

    /** How much of the window is noted, in bytes. */
    get done(): number {
      return done;
    },

    /** The place behind that, in the file. */
    get end(): Position {
      return { bytes: at.bytes + done, lines };
    },

    /** Whether there is more that cannot be read than one window should have. */
    get areTooBad(): boolean {
      return unreadable >= maxUnreadableAtOnce;
    },

    /** The line that follows, which cannot be read for this reason, or only on its own. */
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

/** Why csv-parse gives up, as the end of a sentence that begins with the row. */
const csvProblems: Partial<Record<CsvError['code'], string>> = {
  CSV_QUOTE_NOT_CLOSED: 'has a quotation mark that is not closed',
  CSV_INVALID_CLOSING_QUOTE: 'has text behind a closing quotation mark',
  INVALID_OPENING_QUOTE: 'has a quotation mark inside a cell that has none around it',
  CSV_MAX_RECORD_SIZE: tooLong,
};

function readCsv(whole: Buffer, notes: Notes, { isLast, delimiter = ',' }: FileWindow): void {
  const readLoosely = (line: Buffer) => readWithQuotes(line, delimiter);
  while (notes.done < whole.length && !notes.areTooBad) {
    const code = readCsvOn(whole, notes, delimiter);
    if (code === undefined) return;
    // A record that goes on behind the window is whole in the next one, which begins with it.
    if (code === 'CSV_QUOTE_NOT_CLOSED' && !isLast && whole.length - notes.done < maxRecordBytes) return;
    notes.noteLine(csvProblems[code]!, code === 'INVALID_OPENING_QUOTE' ? readLoosely : undefined);
    // All that follows had to be read to find this out: once in a window is enough.
    if (code === 'CSV_QUOTE_NOT_CLOSED' || code === 'CSV_MAX_RECORD_SIZE') return;
  }
}

/** Notes records up to the end, or to one that cannot be read; gives what is wrong with that. */
function readCsvOn(whole: Buffer, notes: Notes, delimiter: string): CsvError['code'] | undefined {
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

/** The cells of one line with quotation marks inside cells that have none around them, such as `7" tablet`. */
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
    begin < whole.length && !notes.areTooBad;
    begin = skipEmptyLines(whole, notes.done)
  ) {
    const end = endOfLine(whole, begin);
    const found = end - begin > maxRecordBytes ? tooLong : parseJson(whole.toString('utf8', begin, end));
    if (typeof found === 'string') notes.noteLine(found);
    else notes.note(end, found);
  }
  if (!notes.areTooBad) notes.moveTo(whole.length);
}

/** The value of a text; or why it has none, or one that nobody could write again without running out of stack. */
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
