import { flushLog, type Log } from '../log.ts';

interface Closer {
  name: string;
  close: () => unknown;
}

/** Closes what a process opened, in reverse order of opening. */
export class ClosingStack {
  readonly #log: Log;
  readonly #closers: Closer[] = [];
  #started = false;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Remembers how `resource` is closed, and returns it. */
  defer<Resource>(name: string, resource: Resource, close: (resource: Resource) => unknown): Resource {
    this.#closers.push({ name, close: () => close(resource) });
    return resource;
  }

  /** Whether closing has begun. */
  get started(): boolean {
    return this.#started;
  }

  /** Closes everything, the last opened first; what fails, or hangs for half of the time that is left, is logged and the
   *  rest is closed all the same. Resolves, within `deadlineMs`, to whether all of it closed cleanly. */
  async closeAll(deadlineMs: number): Promise<boolean> {
    this.#started = true;
    const end = performance.now() + deadlineMs;
    let clean = true;
    for (let closer = this.#closers.pop(); closer; closer = this.#closers.pop()) {
      const { name, close } = closer;
      try {
        const patienceMs = (end - performance.now()) / (this.#closers.length > 0 ? 2 : 1);
        await withDeadline(Promise.resolve().then(close), patienceMs, () => {
          throw new Error('did not close in time');
        });
      } catch (error) {
        clean = false;
        this.#log.error({ err: error, resource: name }, 'could not be closed');
      }
    }
    return clean;
  }
}

/** What `promise` settles to, or what `onDeadline` gives when that takes longer than `ms`. A late rejection is not unhandled.
 *  What has arrived by then is read first, however late this process is. */
export async function withDeadline<T>(promise: Promise<T>, ms: number, onDeadline: () => T): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let settled = false;
  const deadline = new Promise<T>((resolve, reject) => {
    const end = () => {
      if (settled) return;
      try {
        resolve(onDeadline());
      } catch (error) {
        reject(error);
      }
    };
    timer = setTimeout(() => setImmediate(end), ms);
  });
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    settled = true;
    clearTimeout(timer);
  }
}

/** npm and a supervisor may both pass on the same Ctrl-C: a signal this soon after the first is the same one. */
const sameSignalMs = 1_000;

/** How long the last lines of the log may take. */
const lastLinesMs = 2_000;

/** Runs a process until SIGTERM, SIGINT or SIGQUIT, then closes what it opened and ends it: 0 when all closed cleanly, 1 otherwise.
 *  A second signal, a second later or more, ends it at once; so does, after closing, an error that nobody handled.
 *  Returns what ends it in the same way for a reason of its own, with 1. */
export function endOnSignal(closing: ClosingStack, log: Log, deadlineMs: number): (reason: string) => void {
  let endingSince: number | undefined;
  const end = async (reason: string, exitCode: number) => {
    if (endingSince !== undefined) {
      if (performance.now() > endingSince + sameSignalMs) process.exit(1);
      return;
    }
    endingSince = performance.now();
    log.info({ reason }, 'shutting down');
    const clean = await closing.closeAll(deadlineMs);
    log.info({ clean }, 'shut down');
    await flushLog(log, lastLinesMs);
    process.exit(clean ? exitCode : 1);
  };
  const onSignal = (signal: NodeJS.Signals) => void end(signal, 0);
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  process.on('SIGQUIT', onSignal);
  // Without a listener it would end the process at once.
  process.on('SIGUSR2', () => log.info('ignoring SIGUSR2'));
  const onFault = (error: unknown) => {
    log.fatal({ err: error }, 'unhandled error');
    if (endingSince === undefined) void end('unhandled error', 1);
  };
  process.on('uncaughtException', onFault);
  process.on('unhandledRejection', onFault);
  return (reason) => {
    if (endingSince === undefined) void end(reason, 1);
  };
}
