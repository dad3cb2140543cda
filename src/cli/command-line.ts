/**
 * Reads the arguments of a command with `read`. `--help` and `-h` print the usage to standard output and exit with 0; an error of `read` is
 * printed to standard error with the usage, and the process exits with 2.
 */
export function readArguments<Result>(usage: string, read: (args: string[]) => Result): Result {
  const args = process.argv.slice(2);
  if (isHelp(args)) {
    process.stdout.write(usage);
    return process.exit(0);
  }
  try {
    return read(args);
  } catch (error) {
    process.stderr.write(`${reasonOf(error)}\n${usage}`);
    return process.exit(2);
  }
}

/** For a command that takes no arguments. */
export function rejectArguments([first]: string[]): void {
  if (first !== undefined) throw new Error(`Unknown argument: ${first}`);
}

function isHelp(args: string[]): boolean {
  const end = args.indexOf('--');
  const options = end === -1 ? args : args.slice(0, end);
  return options.includes('--help') || options.includes('-h') || args[0] === 'help';
}

/** The message of an error, without the hint that parseArgs adds to an unknown option. */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/\. To specify a positional argument .*$/s, '.');
}
