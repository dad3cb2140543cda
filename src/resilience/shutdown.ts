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

  /** Registers how `resource` is closed, and returns it. */
  defer<Resource>(name: string, resource: Resource, close: (resource: Resource) => unknown): Resource {
    this.#closers.push({ name, close: () => close(resource) });
    return resource;
  }

  /** Whether closing has begun. */
  get started(): boolean {
    return this.#started;
  }

  /** Closes all resources, the last opened first. One that fails or takes half of the remaining time is logged, and the others are closed.
   *  Resolves within `deadlineMs` to whether all of them closed cleanly. */
  async closeAll(deadlineMs: number): Promise<boolean> {
    this.#started = true;
    const end = performance.now() + deadlineMs;
    let clean = true;
    for (let closer = this.#closers.pop(); closer; closer = this.#closers.pop()) {
      const { name, close } = closer;
      try {
        const limitMs = (end - performance.now()) / (this.#closers.length > 0 ? 2 : 1);
        await withDeadline(Promise.resolve().then(close), limitMs, () => {
          throw new Error('did not close in time');
        });
      } catch (error) {
        clean = false;
        this.#log.error({ err: error, resource: name }, 'failed to close a resource');
      }
    }
    return clean;
  }
}

/** Settles like `promise`, or to the result of `onDeadline` when that takes longer than `ms`. A late rejection is handled. When the event
 *  loop is late, input that has arrived is processed before the deadline. */
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

/** npm and a supervisor may both forward the same Ctrl-C: a second signal within this time counts as the first. */
const sameSignalMs = 1_000;

/** Time limit for writing the last lines of the log. */
const lastLinesMs = 2_000;

/** Shuts the process down on SIGTERM, SIGINT or SIGQUIT: closes its resources and exits with 0 when all closed cleanly, else with 1. A
 *  second signal, a second later or more, exits at once. An unhandled error shuts the process down with 1. Returns a function that does
 *  the same for another reason. */
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
  // Without a listener the signal ends the process.
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
