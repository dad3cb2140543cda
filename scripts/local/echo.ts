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

/**
 * Says each warning and error that is appended to a log, and whatever is no log entry, such as the stack of a crash.
 * Returns a function that says the rest and ends it.
 */
export function echoTrouble(logFile: string, say: (line: string) => void): () => void {
  const position = rememberLogEnd(logFile);
  const echo = (text: string) => {
    position.offset += Buffer.byteLength(text);
    for (const line of text.split('\n').map(describe)) if (line) say(line);
  };
  const timer = setInterval(() => {
    const text = readLogSince(position);
    // A line that is being written, and a character of it, may be cut in the middle.
    echo(text.slice(0, text.lastIndexOf('\n') + 1));
  }, everyMs);
  return () => {
    clearInterval(timer);
    echo(readLogSince(position));
  };
}

/** One line for a person; empty for what is not worth one. */
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
