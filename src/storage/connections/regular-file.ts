import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';

/** Far more than a secret or a bundle of certificates. */
const maxBytes = 1_000_000;

/** A file of a setting cannot be read; the message completes a sentence that ends with "that". */
export class UnreadableFile extends Error {
  override readonly name = 'UnreadableFile';
}

/** Reads a regular file of at most 1 MB. Throws UnreadableFile, also for a FIFO or a device, which would block the process. */
export function readRegularFile(file: string): string {
  let fd: number | undefined;
  try {
    // Without O_NONBLOCK, opening a FIFO blocks until it has a writer.
    fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = fstatSync(fd);
    if (!stats.isFile()) throw new UnreadableFile('is not a regular file');
    if (stats.size > maxBytes) throw new UnreadableFile('is larger than 1 MB');
    return readFileSync(fd, 'utf8');
  } catch (error) {
    if (error instanceof UnreadableFile) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new UnreadableFile(`cannot be read (${code})`, { cause: error });
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
