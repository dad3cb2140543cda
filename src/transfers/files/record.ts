/** Longest record, in bytes: several times the size of a short URL with all its fields. */
export const maxRecordBytes = 64 * 1024;
/** Bytes of an unreadable record that are shown. */
const shownBytes = 1_000;

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

export type RecordContent = ImportRecord['content'];

export const tooLong = `must not be longer than ${maxRecordBytes} bytes`;

/** A part of a file that starts at a record. */
export interface FileWindow {
  bytes: Buffer;
  at: Position;
  /** Whether the file ends with it. */
  isLast: boolean;
  /** The delimiter of a CSV file; the default is a comma. */
  delimiter?: string | undefined;
}

/** The content of an unreadable record. */
export const unreadable = (reason: string, text: Buffer): RecordContent => ({
  problem: reason,
  text: text.toString('utf8', 0, shownBytes).trimEnd(),
});
