/**
 * Reads the arguments of a command with `read`. `--help` or `-h` prints the usage on standard output and ends the process with 0;
 * an error that `read` throws is printed on standard error with the usage and ends it with 2.
 */
export function readArguments<Result>(usage: string, read: (args: string[]) => Result): Result {
  const args = process.argv.slice(2);
  if (asksForHelp(args)) {
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

function asksForHelp(args: string[]): boolean {
  const end = args.indexOf('--');
  const options = end === -1 ? args : args.slice(0, end);
  return options.includes('--help') || options.includes('-h') || args[0] === 'help';
}

/** The message of parseArgs for an unknown option ends with advice for options that begin with a dash. */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/\. To specify a positional argument .*$/s, '.');
}
