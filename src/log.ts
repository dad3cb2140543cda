import { pino, stdSerializers, stdTimeFunctions } from 'pino';

export type Log = ReturnType<typeof createLog>;

/** Characters of one text of an error that are logged at most: what somebody sent may be in it. */
const maxLength = 4_000;

function serializeError(error: Error) {
  const texts = Object.entries(stdSerializers.err(error));
  return Object.fromEntries(
    texts.map(([name, value]) => [name, typeof value === 'string' ? value.slice(0, maxLength) : value]),
  );
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
