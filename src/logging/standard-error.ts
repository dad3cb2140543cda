/** Writes to standard error. A closed pipe or a full disk does not fail the process. */
export function writeToStandardError(text: string): void {
  const { stderr } = process;
  if (stderr.listenerCount('error') === 0) stderr.on('error', () => undefined);
  try {
    stderr.write(text);
  } catch {
    // Writes to files are synchronous and may throw.
  }
}
