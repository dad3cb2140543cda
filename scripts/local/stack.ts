import type { ChildProcess } from 'node:child_process';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { readLogSince } from '../services/log-file.ts';
import { endOwnedProcesses, killOwnedProcesses } from '../services/processes.ts';

/** A process that runs until it is stopped. */
export interface Running {
  child: ChildProcess;
  stop(): Promise<void>;
}

/** The user requested the end with Ctrl-C. */
export class StopRequested extends Error {
  override name = 'StopRequested';
}

/** Duplicate signals, from the terminal and from npm, arrive within this time. */
const repeatedWithinMs = 1_000;

/** Registers started processes and stops them in reverse order. After the first signal, or when one of them ends by
 *  itself, every step and `untilStopped` reject; a second signal kills all at once. */
export function createStack(print: (line: string) => void) {
  const started: { name: string; stop(): Promise<void> }[] = [];
  let current: Promise<unknown> = Promise.resolve();
  let stopping: Error | undefined;
  let giveUp: (reason: Error) => void;
  const stopped = new Promise<never>((_resolve, reject) => {
    giveUp = reject;
  });
  // The rejection may happen before a caller awaits it.
  stopped.catch(() => undefined);

  const beginStop = (reason: Error) => {
    stopping ??= reason;
    giveUp(stopping);
  };
  let firstSignalAt: number | undefined;
  const onSignal = () => {
    firstSignalAt ??= Date.now();
    if (Date.now() - firstSignalAt < repeatedWithinMs) return beginStop(new StopRequested());
    killOwnedProcesses();
    process.exit(1);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);

  /** Waits for a promise, or rejects at the first signal. */
  const step = async <T>(work: Promise<T>): Promise<T> => {
    current = work;
    return Promise.race([stopped, work]);
  };

  return {
    step,

    /** Waits for the start of a process, and watches it until it ends. */
    async start<T extends Running>(name: string, starting: Promise<T>, logFile: string): Promise<T> {
      const registered = starting.then((running) => {
        started.push({ name, stop: async () => running.stop() });
        running.child.once('exit', (code, signal) =>
          beginStop(
            new Error(`${name} ended by itself (${signal ?? `exit code ${code}`})${lastLines(logFile)}`),
          ),
        );
        return running;
      });
      return step(registered);
    },

    /** Rejects at the end of the stack: with StopRequested, or with an Error that gives the reason. */
    async untilStopped(): Promise<never> {
      return stopped;
    },

    /** Stops all processes in reverse order of their start. */
    async close(): Promise<void> {
      stopping ??= new StopRequested();
      // The caller that started it handles the failure.
      await Promise.race([current.catch(() => undefined), delay(3_000)]);
      for (const running of started.toReversed()) {
        print(`stopping ${running.name}`);
        await running.stop().catch((error: unknown) => print(String(error)));
      }
      await endOwnedProcesses();
    },
  };
}

function lastLines(logFile: string): string {
  const lines = readLogSince({ file: logFile, offset: 0 }).trimEnd().split('\n').slice(-12);
  return `; the end of ${path.relative(process.cwd(), logFile)}:\n${lines.join('\n')}`;
}
