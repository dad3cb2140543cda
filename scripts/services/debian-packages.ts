import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { downloadPackages, dpkgStatusFile } from './private-apt.ts';
import { type IsUsable, putInPlace } from './private-copy.ts';
import { markProcess } from './processes.ts';
import { findExecutable, run } from './run-command.ts';

/** Whether this is Debian or a derivative, where fetchDebianPackages works. */
export function hasDebianPackages(): boolean {
  return findExecutable(['apt-get']) !== undefined && findExecutable(['dpkg']) !== undefined;
}

/** The folder of these packages; it exists only when they are complete. */
export function debianPackagesFolder(names: string[], into: string): string {
  const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  const codename = /^VERSION_CODENAME="?([\w-]+)/m.exec(release)?.[1] ?? 'unknown';
  return path.join(into, `debian-${codename}-${process.arch}`, names.join('+'));
}

/** How packages are fetched. */
export interface FetchOptions {
  /** Whether the content of an unpacked folder runs; other folders are replaced. Every folder is usable by default. */
  isUsable?: IsUsable;
  /** Called before a fetch, which takes seconds. */
  onFetch?: () => void;
  /** The dpkg status of the machine. */
  statusFile?: string;
}

/** Unpacks Debian packages with all dependencies, except the base system, into a folder below `into`, and returns it:
 *  executables are in usr/bin, libraries in debianLibraryPath. Needs no root and installs nothing. Returns a usable
 *  folder at once and replaces an unusable one; concurrent calls do not disturb each other. Throws an Error if the
 *  packages are unavailable or unusable. */
export async function fetchDebianPackages(
  names: string[],
  into: string,
  { isUsable = async () => true, onFetch, statusFile = dpkgStatusFile }: FetchOptions = {},
): Promise<string> {
  // apt and dpkg run in other working directories, so relative paths would be wrong.
  const folder = path.resolve(debianPackagesFolder(names, into));
  if (existsSync(folder) && (await isUsable(folder))) return folder;
  onFetch?.();
  await mkdir(path.dirname(folder), { recursive: true });
  await removeAbandoned(path.dirname(folder));
  const work = await mkdtemp(path.join(path.dirname(folder), `${unfinished}${process.pid}-`));
  try {
    const home = path.join(work, 'apt');
    const unpacked = path.join(work, 'unpacked');
    await mkdir(home);
    await mkdir(unpacked);
    for (const file of await downloadPackages(names, { home, statusFile })) {
      await run('dpkg', ['-x', file, unpacked]);
    }
    if (!(await isUsable(unpacked))) throw new Error(`${names.join(', ')} from Debian: does not run here`);
    await putInPlace(unpacked, folder, { isUsable, trash: path.join(work, 'replaced') });
    return folder;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** The LD_LIBRARY_PATH for the executables of such a folder. */
export function debianLibraryPath(folder: string): string {
  const roots = [path.join(folder, 'lib'), path.join(folder, 'usr/lib')].filter((root) => existsSync(root));
  const libraries = roots.flatMap((root) =>
    readdirSync(root, { recursive: true, encoding: 'utf8' })
      .filter((file) => /^lib.+\.so(\.\d|$)/.test(path.basename(file)))
      .map((file) => path.dirname(path.join(root, file))),
  );
  return [...new Set(libraries)].join(':');
}

const unfinished = '.unfinished-';

/** Removes the incomplete folders of killed processes. */
async function removeAbandoned(parent: string) {
  for (const name of await readdir(parent)) {
    if (!name.startsWith(unfinished)) continue;
    const pid = Number.parseInt(name.slice(unfinished.length), 10);
    if (markProcess(pid) === undefined) await rm(path.join(parent, name), { recursive: true, force: true });
  }
}
