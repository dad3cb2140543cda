import { pino, stdSerializers, stdTimeFunctions } from 'pino';

export type Log = ReturnType<typeof createLog>;

/** Characters of one text of an error that are logged at most: what somebody sent may be in it. */
const maxLength = 4_000;

/** Fields of errors that may hold a secret, or more than one wants to read: the arguments of a Redis command (AUTH), a certificate. */
const hidden = new Set(['cert', 'command', 'previousErrors', 'lastNodeError']);

function serializeError(error: Error) {
  const texts = Object.entries(stdSerializers.err(error)).filter(([name]) => !hidden.has(name));
  const { command } = error as { command?: { name?: unknown } };
  return {
    ...Object.fromEntries(
      texts.map(([name, value]) => [name, typeof value === 'string' ? value.slice(0, maxLength) : value]),
    ),
    ...(command?.name !== undefined && { command: command.name }),
  };
}

/** A log of one JSON line per event on standard output; `process` says which process wrote it. */
export function createLog(processName: string, level: string) {
  return pino({
    level,
    base: { process: processName, pid: globalThis.process.pid },
    timestamp: stdTimeFunctions.isoTime,
    serializers: { err: serializeError },
  });
}
