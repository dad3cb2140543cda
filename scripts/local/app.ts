import { existsSync, readFileSync, renameSync } from 'node:fs';
import path from 'node:path';
import {
  type EndingSteps,
  endProcess,
  isRunning,
  readMark,
  saveMark,
  startProcess,
} from '../services/processes.ts';
import { echoTrouble } from './follow-log.ts';
import type { Running } from './stack.ts';

/** Both processes have a shutdown deadline of 20 s. */
const ending: EndingSteps = [
  ['SIGTERM', 28_000],
  ['SIGKILL', 5_000],
];

/** The command of a Procfile entry, without `exec`. */
export function readProcfile(file: string, word: string): string {
  const command = new RegExp(`^${word}:(.+)$`, 'm').exec(readFileSync(file, 'utf8'))?.[1];
  if (command === undefined) throw new Error(`${file} has no ${word}`);
  return command.trim().replace(/^exec /, '');
}

/** The log file of a process. */
export function logFileOf(folder: string, name: string): string {
  return path.join(folder, 'log', `${name}.log`);
}

/** Starts a Procfile process with its log in `<folder>/log/<name>.log`, keeps the previous log beside it, and prints
 *  warnings and errors. */
export async function startApp(
  name: string,
  command: string,
  {
    folder,
    cwd,
    env,
    print,
  }: {
    folder: string;
    cwd: string;
    env: NodeJS.ProcessEnv;
    print: (line: string) => void;
  },
): Promise<Running> {
  const logFile = logFileOf(folder, name);
  if (existsSync(logFile)) renameSync(logFile, `${logFile}.previous`);
  const { child, mark } = await startProcess('/bin/sh', ['-c', `exec ${command}`], {
    cwd,
    env,
    logFile,
    lastSignal: 'SIGTERM',
  });
  saveMark(markFile(folder, name), mark);
  const stopEcho = echoTrouble(logFile, (line) => print(`${name} | ${line}`));
  child.once('exit', stopEcho);
  return { child, stop: async () => endProcess(mark, ending, { group: true }) };
}

/** Stops a process of this name that a killed supervisor left running. */
export async function endLeftOverApp(name: string, folder: string, print: (line: string) => void) {
  const mark = readMark(markFile(folder, name));
  if (!mark || !isRunning(mark)) return;
  print(`stopping the ${name} that an earlier run left behind (pid ${mark.pid})`);
  await endProcess(mark, ending, { group: true });
}

function markFile(folder: string, name: string): string {
  return path.join(folder, 'run', `${name}.json`);
}
