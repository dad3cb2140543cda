/** Writes to standard error. A reader that has gone, or a full disk, is an error of neither the stream nor the process. */
export function writeToStandardError(text: string): void {
  const { stderr } = process;
  if (stderr.listenerCount('error') === 0) stderr.on('error', () => undefined);
  try {
    stderr.write(text);
  } catch {
    // Node writes to files at once, and throws.
  }
}
