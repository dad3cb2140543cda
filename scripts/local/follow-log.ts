import { z } from 'zod';
import { readLogSince, rememberLogEnd } from '../services/log-file.ts';

const everyMs = 200;
const warnLevel = 40;
const errorLevel = 50;
const entrySchema = z.object({
  level: z.number(),
  msg: z.string().optional(),
  err: z.object({ message: z.string() }).optional(),
});

/** Prints each warning and error that is appended to a log, and each line that is not a log entry, such as the stack of
 *  a crash. Returns a function that prints the rest and stops. */
export function echoTrouble(logFile: string, print: (line: string) => void): () => void {
  const position = rememberLogEnd(logFile);
  const echo = (text: string) => {
    position.offset += Buffer.byteLength(text);
    for (const line of text.split('\n').map(describe)) if (line) print(line);
  };
  const timer = setInterval(() => {
    const text = readLogSince(position);
    // The last line, or a character in it, may be incomplete.
    echo(text.slice(0, text.lastIndexOf('\n') + 1));
  }, everyMs);
  return () => {
    clearInterval(timer);
    echo(readLogSince(position));
  };
}

/** Formats a log line for a terminal; empty if it should not be printed. */
function describe(line: string): string {
  const entry = parseEntry(line);
  if (!entry) return line.trimEnd();
  if (entry.level < warnLevel) return '';
  const severity = entry.level < errorLevel ? 'warning' : 'error';
  return `${severity}: ${[entry.msg, entry.err?.message].filter(Boolean).join(': ')}`;
}

function parseEntry(line: string) {
  if (!line.startsWith('{')) return undefined;
  try {
    return entrySchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
