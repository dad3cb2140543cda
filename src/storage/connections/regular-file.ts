import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';

/** Far more than any secret, certificate or list of certificates. */
const maxBytes = 1_000_000;

/** Why a file that a setting names cannot be read, as the end of a sentence with "that". */
export class UnreadableFile extends Error {
  override readonly name = 'UnreadableFile';
}

/** The text of a regular file of at most 1 MB. Throws UnreadableFile; a FIFO or a device, which would hold the process, is refused. */
export function readRegularFile(file: string): string {
  let fd: number | undefined;
  try {
    // Without O_NONBLOCK the system waits until somebody writes to a FIFO.
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
