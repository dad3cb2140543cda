import { spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import path from 'node:path';
import { endWithThisProcess } from './processes.ts';

/** Where and as which user a command runs, and its input. */
export interface RunOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  uid?: number;
  gid?: number;
  /** The text for its standard input. */
  input?: string;
}

/** A command exited with another code than 0. */
export class CommandFailed extends Error {
  override name = 'CommandFailed';
  readonly code: number | null;

  constructor(command: string, code: number | null, output: string) {
    super(`${command} failed${code === null ? '' : ` (exit code ${code})`}:\n${output.trim()}`);
    this.code = code;
  }
}

/** Runs a command and returns its standard output; throws CommandFailed with all its output. */
export async function run(
  command: string,
  args: string[],
  { input = '', ...options }: RunOptions = {},
): Promise<string> {
  const child = spawn(command, args, options);
  endWithThisProcess(child, 'SIGTERM');
  let stdout = '';
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  // If a command ends without reading its input, its exit code counts and not the broken pipe.
  child.stdin.on('error', () => undefined).end(input);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new CommandFailed([path.basename(command), ...args].join(' '), code, output);
  return stdout;
}

/** The first executable with one of these names in PATH or the additional folders. */
export function findExecutable(names: string[], folders: string[] = []): string | undefined {
  return listExecutables(names, folders)[0];
}

/** All executables with one of these names in PATH and the additional folders, in order. */
export function listExecutables(names: string[], folders: string[] = []): string[] {
  const all = [...(process.env['PATH'] ?? '').split(path.delimiter), ...folders].filter(Boolean);
  const files = all.flatMap((folder) => names.map((name) => path.join(folder, name)));
  return [...new Set(files)].filter(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
