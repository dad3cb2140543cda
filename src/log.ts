import { pino, stdSerializers, stdTimeFunctions } from 'pino';
import { createLogDestination } from './logging/log-destination.ts';

export type Log = ReturnType<typeof createLog>;

/** Most characters of a text of an error: it may contain input of a client. */
const maxLength = 4_000;

/** Fields of errors that are not logged: certificates, and errors that `message` repeats. */
const hidden = new Set(['cert', 'previousErrors', 'lastNodeError']);

const serializeError = (error: Error) => shorten(stdSerializers.err(error)) as object;

/** Depth of nested fields that are logged. */
const maxDepth = 5;

/** Shortens the texts of an error field, and reduces Redis commands to their name, because the arguments of AUTH are a password. */
function shorten(value: unknown, name?: string, depth = 0): unknown {
  if (typeof value === 'string') return value.slice(0, maxLength);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  if (name === 'command' && 'args' in value) return 'name' in value ? value.name : undefined;
  // A buffer, a socket or a cycle is not readable.
  if (depth > maxDepth || ArrayBuffer.isView(value)) return undefined;
  if (Array.isArray(value)) return value.map((item) => shorten(item, undefined, depth + 1));
  const fields = Object.entries(value).filter(([field]) => !hidden.has(field));
  return Object.fromEntries(fields.map(([field, content]) => [field, shorten(content, field, depth + 1)]));
}

/** A log with one JSON line per event on standard output; `process` names the process. While standard output is blocked, lines are discarded
 *  and counted. */
export function createLog(processName: string, level: string) {
  const base = { process: processName, pid: globalThis.process.pid };
  const describeLoss = (lines: number) =>
    `${JSON.stringify({ level: 40, time: new Date().toISOString(), ...base, lines, msg: 'lost log lines: standard output was blocked' })}\n`;
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

/** Resolves once all lines are written, or after `ms`. */
export async function flushLog(log: Log, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
    log.flush(() => resolve());
  });
  clearTimeout(timer);
}
