import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { markProcess } from './processes.ts';
import { findExecutable, run } from './run.ts';

/** True on Debian, Ubuntu and their like, where fetchDebianPackages can work. */
export function hasDebianPackages(): boolean {
  return findExecutable(['apt-get']) !== undefined && findExecutable(['dpkg']) !== undefined;
}

/** The folder in which fetchDebianPackages leaves these packages; it exists only when they are complete. */
export function debianPackagesFolder(names: string[], into: string): string {
  const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  const codename = /^VERSION_CODENAME="?([\w-]+)/m.exec(release)?.[1] ?? 'unknown';
  return path.join(into, `debian-${codename}-${process.arch}`, names.join('+'));
}

/**
 * Unpacks Debian packages, with whatever they depend on that the machine lacks, into one folder below `into` and returns
 * it: executables are in its usr/bin, libraries where debianLibraryPath says. Needs no root and installs nothing.
 * A second call returns the same folder at once; two at the same time do not disturb each other.
 */
export async function fetchDebianPackages(names: string[], into: string): Promise<string> {
  // apt and dpkg work in folders of their own, from where a relative path leads elsewhere.
  const folder = path.resolve(debianPackagesFolder(names, into));
  if (existsSync(folder)) return folder;
  await mkdir(path.dirname(folder), { recursive: true });
  await removeAbandoned(path.dirname(folder));
  const work = await mkdtemp(path.join(path.dirname(folder), `${unfinished}${process.pid}-`));
  try {
    const apt = await createPrivateApt(path.join(work, 'apt'));
    const unpacked = path.join(work, 'unpacked');
    await mkdir(unpacked);
    for (const file of await download(apt, names, path.join(work, 'downloads'))) {
      await run('dpkg', ['-x', file, unpacked]);
    }
    await rename(unpacked, folder).catch((error: NodeJS.ErrnoException) => {
      // Another process was faster; what it unpacked is as good.
      if (!existsSync(folder)) throw error;
    });
    return folder;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** The LD_LIBRARY_PATH for executables of such a folder. */
export function debianLibraryPath(folder: string): string {
  const roots = [path.join(folder, 'lib'), path.join(folder, 'usr/lib')].filter((root) => existsSync(root));
  const libraries = roots.flatMap((root) =>
    readdirSync(root, { recursive: true, encoding: 'utf8' })
      .filter((file) => /^lib.+\.so(\.\d|$)/.test(path.basename(file)))
      .map((file) => path.dirname(path.join(root, file))),
  );
  return [...new Set(libraries)].join(':');
}

type Apt = (args: string[], cwd?: string) => Promise<string>;

/** An apt-get with the machine's sources and installed packages, and its lists and cache in a folder of its own. */
async function createPrivateApt(home: string): Promise<Apt> {
  for (const folder of ['state/lists/partial', 'cache/archives/partial']) {
    await mkdir(path.join(home, folder), { recursive: true });
  }
  const config = path.join(home, 'apt.conf');
  await writeFile(
    config,
    [
      `Dir::State "${path.join(home, 'state')}";`,
      'Dir::State::status "/var/lib/dpkg/status";',
      `Dir::Cache "${path.join(home, 'cache')}";`,
      // apt would hand downloads to the user _apt, who may not enter a checkout below a private home.
      'APT::Sandbox::User "root";',
      'Acquire::Languages "none";',
      'Acquire::Retries "3";',
      // Hooks that tidy the machine's own cache or tell its desktop are not for this private one.
      '#clear APT::Update::Post-Invoke;',
      '#clear APT::Update::Post-Invoke-Success;',
      '',
    ].join('\n'),
  );
  const env = { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' };
  return async (args, cwd = home) => run('apt-get', ['-q', '-c', config, ...args], { env, cwd });
}

async function download(apt: Apt, names: string[], into: string): Promise<string[]> {
  await mkdir(into);
  // One unreachable source among several must not matter if the others have what is asked for.
  const trouble = await apt(['update']).then(
    () => undefined,
    (error: unknown) => error,
  );
  try {
    const plan = await apt(['-s', 'install', '--no-install-recommends', ...names]);
    const packages = [...plan.matchAll(/^Inst (\S+) (?:\[\S+\] )?\((\S+) /gm)];
    if (packages.length === 0) throw new Error(`${names.join(', ')}: already installed`);
    await apt(['download', ...packages.map(([, name, version]) => `${name}=${version}`)], into);
  } catch (error) {
    throw trouble ?? error;
  }
  return (await readdir(into)).filter((file) => file.endsWith('.deb')).map((file) => path.join(into, file));
}

const unfinished = '.unfinished-';

/** Removes what a killed process left behind half-way. */
async function removeAbandoned(parent: string) {
  for (const name of await readdir(parent)) {
    if (!name.startsWith(unfinished)) continue;
    const pid = Number.parseInt(name.slice(unfinished.length), 10);
    if (markProcess(pid) === undefined) await rm(path.join(parent, name), { recursive: true, force: true });
  }
}
