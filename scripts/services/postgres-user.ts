import { existsSync, statSync } from 'node:fs';
import { run } from './run-command.ts';

/** The user of a server process, in the format of spawn. */
export interface ServerUser {
  uid: number;
  gid: number;
}

/**
 * Finds the user that must run PostgreSQL; undefined means the current user. PostgreSQL refuses to run as root, so for
 * root it is the owner of an existing data folder, else the user `postgres`, else the user `nobody`.
 */
export async function findServerUser(dataDir: string): Promise<ServerUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  if (existsSync(dataDir)) {
    const { uid, gid } = statSync(dataDir);
    if (uid !== 0) return { uid, gid };
  }
  return (await lookUp('postgres')) ?? (await lookUp('nobody'));
}

/** Whether the user can work in a folder, which requires access to every parent folder. */
export async function mayEnter(folder: string, user: ServerUser): Promise<boolean> {
  return run('/bin/sh', ['-c', 'cd "$1"', 'sh', folder], { ...user, cwd: '/' }).then(
    () => true,
    () => false,
  );
}

async function lookUp(name: string): Promise<ServerUser | undefined> {
  try {
    return { uid: Number(await run('id', ['-u', name])), gid: Number(await run('id', ['-g', name])) };
  } catch {
    return undefined;
  }
}
