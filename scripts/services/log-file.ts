import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';

/** A place in a growing file. */
export interface LogPosition {
  file: string;
  offset: number;
}

/** The end of a log as it is now, whether or not it exists yet. */
export function rememberLogEnd(file: string): LogPosition {
  return { file, offset: existsSync(file) ? statSync(file).size : 0 };
}

/** What was appended since that position. */
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
