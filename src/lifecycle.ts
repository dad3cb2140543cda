import type { Log } from './log.ts';

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

  /** Closes everything, the last opened first; what fails is logged and the rest is closed all the same.
   *  Resolves to whether all of it closed cleanly within `deadlineMs`. */
  async closeAll(deadlineMs: number): Promise<boolean> {
    this.#started = true;
    let clean = true;
    let closing = '';
    const run = async () => {
      for (let closer = this.#closers.pop(); closer; closer = this.#closers.pop()) {
        closing = closer.name;
        try {
          await closer.close();
        } catch (error) {
          clean = false;
          this.#log.error({ err: error, resource: closer.name }, 'could not be closed');
        }
      }
      return clean;
    };
    return await withDeadline(run(), deadlineMs, () => {
      this.#log.error({ resource: closing, deadlineMs }, 'was not closed in time');
      return false;
    });
  }
}

/** What `promise` settles to, or what `onDeadline` gives when that takes longer than `ms`. A late rejection is not unhandled. */
export async function withDeadline<T>(promise: Promise<T>, ms: number, onDeadline: () => T): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<T>((resolve, reject) => {
    timer = setTimeout(() => {
      try {
        resolve(onDeadline());
      } catch (error) {
        reject(error);
      }
    }, ms);
  });
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

/** Runs a process until SIGTERM or SIGINT, then closes what it opened and ends it: 0 when all closed cleanly, 1 otherwise.
 *  A second signal ends it at once; so does, after closing, an error that nobody handled. */
export function endOnSignal(closing: ClosingStack, log: Log, deadlineMs: number): void {
  let ending = false;
  const end = async (reason: string, exitCode: number) => {
    if (ending) process.exit(1);
    ending = true;
    log.info({ reason }, 'shutting down');
    const clean = await closing.closeAll(deadlineMs);
    log.info({ clean }, 'shut down');
    process.exit(clean ? exitCode : 1);
  };
  const onSignal = (signal: NodeJS.Signals) => void end(signal, 0);
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  const onFault = (error: unknown) => {
    log.fatal({ err: error }, 'unhandled error');
    if (!ending) void end('unhandled error', 1);
  };
  process.on('uncaughtException', onFault);
  process.on('unhandledRejection', onFault);
}
