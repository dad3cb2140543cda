import { openStandardOutput, type Sink } from './standard-output.ts';

/** Most characters that wait to be written; further lines are discarded. */
const maxWaiting = 1_000_000;
/** PIPE_BUF of Linux: a pipe writes up to this many bytes atomically, so that lines of several processes do not mix. */
const chunkLength = 4_096;
/** Pause before a failed write is retried; it doubles up to the longest. */
const shortestPauseMs = 10;
const longestPauseMs = 1_000;

/** Writes log lines to standard output, in order, without blocking, throwing or keeping the process alive. While standard output is blocked (a
 *  full disk, a full pipe), up to a megabyte waits and is retried with backoff. Further lines are discarded, and `describeLoss` creates the line
 *  with their number. */
export function createLogDestination(describeLoss: (lines: number) => string, open = openStandardOutput) {
  let sink: Sink | undefined;
  let lines: string[] = [];
  let waiting = 0;
  let lost = 0;
  /** The chunk that is being written or retried. */
  let chunk: Buffer | undefined;
  let isWriting = false;
  let pauseMs = shortestPauseMs;
  let flushers: (() => void)[] = [];
  let timer: NodeJS.Timeout | undefined;

  function takeChunk(maxLength = chunkLength): Buffer | undefined {
    if (lost > 0 && waiting < maxWaiting / 2) {
      add(describeLoss(lost));
      lost = 0;
    }
    let text = lines[0] ?? '';
    let count = 1;
    while (count < lines.length && text.length + lines[count]!.length <= maxLength) text += lines[count++]!;
    lines = lines.slice(count);
    waiting -= text.length;
    return text === '' ? undefined : Buffer.from(text);
  }

  function add(line: string): void {
    lines.push(line);
    waiting += line.length;
  }

  function pump(): void {
    timer = undefined;
    chunk ??= takeChunk();
    if (chunk === undefined) {
      endFlushes();
      return;
    }
    isWriting = true;
    sink ??= openSink();
    sink.write(chunk, onWritten);
  }

  function endFlushes(): void {
    for (const onFlushed of flushers.splice(0)) onFlushed();
  }

  function onWritten(bytes: number, isBroken: boolean): void {
    isWriting = false;
    if (isBroken) endFlushes();
    const rest = chunk!.subarray(bytes);
    chunk = rest.length > 0 ? rest : undefined;
    if (chunk === undefined) {
      pauseMs = shortestPauseMs;
      pump();
    } else {
      timer = setTimeout(pump, pauseMs).unref();
      pauseMs = Math.min(2 * pauseMs, longestPauseMs);
    }
  }

  function openSink(): Sink {
    process.on('exit', writeRest);
    return open();
  }

  /** One attempt to write all waiting lines before the process ends. */
  function writeRest(): void {
    if (chunk !== undefined && !isWriting) sink?.writeNow(chunk);
    const rest = takeChunk(Infinity);
    if (rest !== undefined) sink?.writeNow(rest);
    chunk = undefined;
  }

  return {
    write(line: string): void {
      if (waiting + line.length > maxWaiting) {
        lost += 1;
        return;
      }
      add(line);
      if (!isWriting && timer === undefined) pump();
    },

    /** Calls back once all lines are written or a write has failed; never while a pipe is full. */
    flush(onFlushed: () => void): void {
      if (!isWriting && timer === undefined) onFlushed();
      else flushers.push(onFlushed);
    },
  };
}
