import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';

/** A position in a growing file. */
export interface LogPosition {
  file: string;
  offset: number;
}

/** The current end of a log, which need not exist yet. */
export function rememberLogEnd(file: string): LogPosition {
  return { file, offset: existsSync(file) ? statSync(file).size : 0 };
}

/** The text appended since that position. */
export function readLogSince({ file, offset }: LogPosition): string {
  if (!existsSync(file)) return '';
  const log = openSync(file, 'r');
  try {
    const bytes = Buffer.alloc(Math.max(0, statSync(file).size - offset));
    return bytes.toString('utf8', 0, readSync(log, bytes, 0, bytes.length, offset));
  } finally {
    closeSync(log);
  }
}
