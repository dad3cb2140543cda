import { pino, stdTimeFunctions } from 'pino';

export type Log = ReturnType<typeof createLog>;

/** A log of one JSON line per event on standard output; `process` says which process wrote it. */
export function createLog(processName: string, level: string) {
  return pino({
    level,
    base: { process: processName, pid: globalThis.process.pid },
    timestamp: stdTimeFunctions.isoTime,
  });
}
