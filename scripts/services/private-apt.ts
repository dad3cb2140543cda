import { readFileSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { readBasePackages } from './debian-base.ts';
import { run } from './run-command.ts';

/** The database of dpkg on a Debian machine. */
export const dpkgStatusFile = '/var/lib/dpkg/status';

/** Downloads Debian packages with all dependencies, except the base system (see `readBasePackages`), and returns the
 *  files, regardless of other installed packages. Needs no root; lists and cache are in `home`. */
export async function downloadPackages(
  names: string[],
  { home, statusFile }: { home: string; statusFile: string },
): Promise<string[]> {
  const base = readBasePackages(readFileSync(statusFile, 'utf8'));
  const apt = await createPrivateApt(home, base.status);
  const into = path.join(home, 'downloads');
  await mkdir(into);
  // An unreachable source does not matter if other sources have the packages.
  const updateError = await apt(['update']).then(
    () => undefined,
    (error: unknown) => error,
  );
  try {
    const plan = await apt(['-s', 'install', '--reinstall', '--no-install-recommends', ...names]);
    const packages = [...plan.matchAll(/^Inst (\S+) (?:\[\S+\] )?\((\S+) /gm)]
      // A newer libc with the machine's own ld.so crashes every process.
      .filter(([, name = '']) => names.includes(name) || !base.names.has(name))
      .map(([, name, version]) => `${name}=${version}`);
    await apt(['download', ...packages], into);
  } catch (error) {
    throw updateError ?? error;
  }
  return (await readdir(into)).filter((file) => file.endsWith('.deb')).map((file) => path.join(into, file));
}

type Apt = (args: string[], cwd?: string) => Promise<string>;

/** An apt-get with the sources of the machine, and its state, lists and cache in a separate folder. */
async function createPrivateApt(home: string, status: string): Promise<Apt> {
  for (const folder of ['state/lists/partial', 'cache/archives/partial']) {
    await mkdir(path.join(home, folder), { recursive: true });
  }
  const config = path.join(home, 'apt.conf');
  const ownStatus = path.join(home, 'status');
  await writeFile(ownStatus, status);
  await writeFile(
    config,
    [
      `Dir::State "${path.join(home, 'state')}";`,
      `Dir::State::status "${ownStatus}";`,
      `Dir::Cache "${path.join(home, 'cache')}";`,
      // apt would download as the user _apt, which may not enter a checkout below a private home.
      'APT::Sandbox::User "root";',
      'Acquire::Languages "none";',
      'Acquire::Retries "3";',
      'Acquire::http::Timeout "20";',
      'Acquire::https::Timeout "20";',
      // Skip the hooks of the machine, which clean its cache or notify its desktop.
      '#clear APT::Update::Post-Invoke;',
      '#clear APT::Update::Post-Invoke-Success;',
      '',
    ].join('\n'),
  );
  const env = { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' };
  return async (args, cwd = home) => run('apt-get', ['-q', '-c', config, ...args], { env, cwd });
}
