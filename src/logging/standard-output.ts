import { constants, fstatSync, openSync, type Stats, write, writeSync } from 'node:fs';

const stdoutFd = 1;

/** Where bytes go without ever blocking the event loop. */
export interface Sink {
  /** Calls back, later, with how many bytes were written, which may be none, and whether that is because of an error. */
  write: (bytes: Buffer, onWritten: (bytes: number, isBroken: boolean) => void) => void;
  /** Writes at once what can be written at once, for the end of a process. */
  writeNow: (bytes: Buffer) => void;
}

/** Standard output. A reader that has gone, or a full disk, is an error of neither the stream nor the process. */
export function openStandardOutput(): Sink {
  const stats = fstatSync(stdoutFd);
  return stats.isFIFO() || stats.isSocket() ? openStream(process.stdout) : openFile(descriptorFor(stats));
}

/** Node writes to pipes and sockets without blocking. */
function openStream(stream: NodeJS.WriteStream): Sink {
  stream.on('error', () => undefined);
  return {
    write: (bytes, onWritten) =>
      void stream.write(bytes, (error) => onWritten(error ? 0 : bytes.length, Boolean(error))),
    writeNow: (bytes) => void stream.write(bytes),
  };
}

/** Node writes to files in a thread: a terminal that was stopped would hold that thread, and with it the end of the process. */
function descriptorFor(stats: Stats): number {
  if (!stats.isCharacterDevice()) return stdoutFd;
  try {
    // An open file of its own, so that other processes on the same terminal are not switched to non-blocking writes.
    return openSync(`/proc/self/fd/${stdoutFd}`, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    return stdoutFd;
  }
}

function openFile(fd: number): Sink {
  return {
    write: (bytes, onWritten) =>
      write(fd, bytes, (error, written) =>
        onWritten(error ? 0 : written, error !== null && error.code !== 'EAGAIN'),
      ),
    writeNow(bytes) {
      try {
        writeSync(fd, bytes);
      } catch {
        // There is no later attempt.
      }
    },
  };
}
