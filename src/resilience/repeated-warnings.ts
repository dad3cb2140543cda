import type { Log } from '../log.ts';
import { errorCodeOf } from './error-code.ts';

/** Lines per minute and source that are written without delay. */
const linesPerMinute = 5;
const minuteMs = 60_000;

type Fields = { err?: unknown } & Record<string, unknown>;

interface Line {
  level: 'warn' | 'info';
  fields: Fields;
  message: string;
}

interface Source {
  /** The members that fail now, such as one of several connections. */
  failing: Set<unknown>;
  /** The current cause without its numbers; undefined while nothing fails. */
  cause: string | undefined;
  /** Lines written without delay in this minute. */
  written: number;
  repeated: number;
  last: Line | undefined;
  timer: NodeJS.Timeout | undefined;
}

export type RepeatedWarnings = ReturnType<typeof createRepeatedWarnings>;

const byLog = new WeakMap<Log, RepeatedWarnings>();

/** The repeated warnings of a log: every error that can repeat is logged through them. */
export function repeatedWarningsOf(log: Log): RepeatedWarnings {
  const known = byLog.get(log) ?? createRepeatedWarnings(log);
  byLog.set(log, known);
  return known;
}

/** Writes one line when a source begins to fail, fails for another reason or recovers, and one line per minute with the number of
 *  repetitions. A source never writes more than 6 lines per minute. */
export function createRepeatedWarnings(log: Log) {
  const sources = new Map<string, Source>();

  function sourceOf(name: string): Source {
    const source = sources.get(name) ?? {
      failing: new Set(),
      cause: undefined,
      written: 0,
      repeated: 0,
      last: undefined,
      timer: undefined,
    };
    sources.set(name, source);
    return source;
  }

  function report(source: Source, isChange: boolean, line: Line): void {
    source.timer ??= setTimeout(() => summarize(source), minuteMs).unref();
    if (isChange && source.written < linesPerMinute) {
      source.written += 1;
      log[line.level](line.fields, line.message);
    } else {
      source.repeated += 1;
      source.last = line;
    }
  }

  function summarize(source: Source): void {
    const { last, repeated } = source;
    const isQuiet = repeated === 0;
    Object.assign(source, { written: 0, repeated: 0, last: undefined, timer: undefined });
    if (isQuiet || last === undefined) return;
    log[last.level]({ ...last.fields, repeated }, last.message);
    // A minute without repetitions ends the timer.
    source.timer = setTimeout(() => summarize(source), minuteMs).unref();
  }

  return {
    /** Reports that a source failed, or one member of it. */
    warn(name: string, fields: Fields, message: string, member: unknown = name): void {
      const source = sourceOf(name);
      const cause = causeOf(fields.err, message);
      const isChange = source.cause !== cause;
      source.cause = cause;
      source.failing.add(member);
      report(source, isChange, { level: 'warn', fields, message });
    },

    /** Reports that a source, or one member of it, works. The line is written when no member fails any more. Costs nothing while the
     *  source has not failed. */
    end(name: string, fields: Fields, message: string, member: unknown = name): void {
      const source = sources.get(name);
      if (!source?.failing.delete(member) || source.failing.size > 0) return;
      source.cause = undefined;
      report(source, true, { level: 'info', fields, message });
    },
  };
}

/** What identifies a cause: the error's code, else its text without numbers, addresses and hashes. */
function causeOf(error: unknown, message: string): string {
  if (!(error instanceof Error)) return message;
  const code = errorCodeOf(error);
  const text = error.message.replaceAll(/\b[0-9a-f]{8,}\b|\d+/gi, '#').slice(0, 120);
  return `${message} ${error.name} ${code || text}`;
}
