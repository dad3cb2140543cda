import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { errorCode, isRunning, markProcess, readMark } from '../services/processes.ts';

/** Makes this process the only one that runs a stack in `folder` until it ends. Throws an Error with the pid and
 *  address of another running one; takes over the claim of a killed one. */
export function claimFolder(folder: string, url: string): void {
  const file = path.join(folder, 'run/local.json');
  const claim = JSON.stringify({ ...markProcess(process.pid), url });
  while (!createFile(file, claim)) {
    const other = readMark(file);
    if (other && isRunning(other)) {
      throw new Error(
        `already running here as process ${other.pid}, at ${readUrl(file)}; stop that one first (Ctrl-C)`,
      );
    }
    rmSync(file, { force: true });
  }
  process.once('exit', () => rmSync(file, { force: true }));
}

function createFile(file: string, content: string): boolean {
  try {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, content, { flag: 'wx' });
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    if (errorCode(error) !== 'EACCES') throw error;
    throw new Error(
      `${path.dirname(file)} belongs to another user: remove it, or name another folder in LINKMILL_LOCAL_DIR`,
      {
        cause: error,
      },
    );
  }
}

function readUrl(file: string): string {
  return z.object({ url: z.string() }).parse(JSON.parse(readFileSync(file, 'utf8'))).url;
}
