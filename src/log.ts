import { pino, stdSerializers, stdTimeFunctions } from 'pino';
import { createLogDestination } from './logging/log-destination.ts';

export type Log = ReturnType<typeof createLog>;

/** Characters of one text of an error that are logged at most: what somebody sent may be in it. */
const maxLength = 4_000;

/** Fields of errors that are not logged: certificates, and what a node of Redis said, which `message` repeats. */
const hidden = new Set(['cert', 'previousErrors', 'lastNodeError']);

const serializeError = (error: Error) => shorten(stdSerializers.err(error)) as object;

/** How deep an error may nest others. */
const maxDepth = 5;

/** A field of an error with short texts, and Redis commands by their name alone: the arguments of AUTH are a password. */
function shorten(value: unknown, name?: string, depth = 0): unknown {
  if (typeof value === 'string') return value.slice(0, maxLength);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  if (name === 'command' && 'args' in value) return 'name' in value ? value.name : undefined;
  // A socket, a buffer or a circle: nothing to read.
  if (depth > maxDepth || ArrayBuffer.isView(value)) return undefined;
  if (Array.isArray(value)) return value.map((item) => shorten(item, undefined, depth + 1));
  const fields = Object.entries(value).filter(([field]) => !hidden.has(field));
  return Object.fromEntries(fields.map(([field, content]) => [field, shorten(content, field, depth + 1)]));
}

/** A log of one JSON line per event on standard output; `process` says which process wrote it. Where standard output takes nothing, lines are
 *  lost and counted; the process continues. */
export function createLog(processName: string, level: string) {
  const base = { process: processName, pid: globalThis.process.pid };
  const describeLoss = (lines: number) =>
    `${JSON.stringify({ level: 40, time: new Date().toISOString(), ...base, lines, msg: 'lost log lines: standard output took none' })}\n`;
  return pino(
    {
      level,
      base,
      timestamp: stdTimeFunctions.isoTime,
      serializers: { err: serializeError },
    },
    createLogDestination(describeLoss),
  );
}

/** Resolves once all lines are written, and after `ms` at the latest. */
export async function flushLog(log: Log, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
    log.flush(() => resolve());
  });
  clearTimeout(timer);
}
