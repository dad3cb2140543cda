import { constants, fstatSync, openSync, type Stats, write, writeSync } from 'node:fs';

const stdoutFd = 1;

/** A destination for bytes that never blocks the event loop. */
export interface Sink {
  /** Calls back asynchronously with the number of written bytes, and whether the write failed. */
  write: (bytes: Buffer, onWritten: (bytes: number, isBroken: boolean) => void) => void;
  /** Writes synchronously what can be written, before the process ends. */
  writeNow: (bytes: Buffer) => void;
}

/** Opens standard output. A closed pipe or a full disk does not fail the process. */
export function openStandardOutput(): Sink {
  const stats = fstatSync(stdoutFd);
  return stats.isFIFO() || stats.isSocket() ? openStream(process.stdout) : openFile(descriptorFor(stats));
}

/** Writes to pipes and sockets are asynchronous. */
function openStream(stream: NodeJS.WriteStream): Sink {
  stream.on('error', () => undefined);
  return {
    write: (bytes, onWritten) =>
      void stream.write(bytes, (error) => onWritten(error ? 0 : bytes.length, Boolean(error))),
    writeNow: (bytes) => void stream.write(bytes),
  };
}

/** Writes to files use a thread: a stopped terminal would block the thread, and with it the end of the process. */
function descriptorFor(stats: Stats): number {
  if (!stats.isCharacterDevice()) return stdoutFd;
  try {
    // A separate open file, so that other processes on the terminal keep blocking writes.
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
        // The process ends; there is no retry.
      }
    },
  };
}
