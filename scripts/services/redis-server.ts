import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { debianLibraryPath, fetchDebianPackages, hasDebianPackages } from './debian-packages.ts';
import { findExecutable, listExecutables, run } from './run-command.ts';

/** An executable that is known to run, and its additional environment variables. */
export interface RedisServer {
  path: string;
  env: NodeJS.ProcessEnv;
}

const cache = fileURLToPath(new URL('../../.cache', import.meta.url));
const names = ['redis-server', 'valkey-server'];
/** The folders of Homebrew, and of Debian for root, which PATH may lack. */
const folders = [
  ...['/opt/homebrew', '/usr/local', '/home/linuxbrew/.linuxbrew'].flatMap((prefix) => [
    `${prefix}/bin`,
    `${prefix}/opt/redis/bin`,
    `${prefix}/opt/valkey/bin`,
  ]),
  '/usr/bin',
  '/usr/sbin',
];
/** BullMQ's scripts require it. */
const oldestVersion = [6, 2] as const;

let found: Promise<RedisServer> | undefined;

/** Finds a Redis or Valkey of version 6.2 or newer: an installed one, otherwise a private copy, which is fetched on
 *  Debian and Ubuntu. Throws an Error with the command that installs one. */
export async function findRedisServer(print: (line: string) => void): Promise<RedisServer> {
  found ??= search(print);
  try {
    return await found;
  } catch (error) {
    found = undefined;
    throw error;
  }
}

async function search(print: (line: string) => void): Promise<RedisServer> {
  for (const file of listExecutables(names, folders)) {
    if (await isNewEnough({ path: file, env: {} })) return { path: file, env: {} };
  }
  if (!hasDebianPackages()) throw new Error(whatToType());
  const folder = await fetchDebianPackages(['redis-server'], cache, {
    isUsable: async (copy) => isNewEnough(ownCopy(copy)),
    onFetch: () => print('fetching redis-server from Debian into .cache (once, about 20 MB)'),
  }).catch((error: unknown) => {
    throw new Error(`${whatToType()} (fetching it failed: ${firstLine(error)})`, { cause: error });
  });
  return ownCopy(folder);
}

/** The most informative line of an error: for apt-get, the first line marked as an error. */
function firstLine(error: unknown): string {
  const lines = (error instanceof Error ? error.message : String(error)).split('\n');
  return lines.find((line) => line.startsWith('E: '))?.slice(3) ?? lines[0] ?? '';
}

function ownCopy(folder: string): RedisServer {
  return {
    path: path.join(folder, 'usr/bin/redis-server'),
    env: { LD_LIBRARY_PATH: debianLibraryPath(folder) },
  };
}

async function isNewEnough({ path: file, env }: RedisServer): Promise<boolean> {
  const answer = await run(file, ['--version'], { env: { ...process.env, ...env } }).catch(() => '');
  const [, major, minor] = /v=(\d+)\.(\d+)/.exec(answer) ?? [];
  if (major === undefined) return false;
  return (Number(major) - oldestVersion[0] || Number(minor) - oldestVersion[1]) >= 0;
}

function whatToType(): string {
  const commands: [string, string][] = [
    ['brew', 'brew install redis'],
    ['apt-get', 'sudo apt-get install redis-server'],
    ['dnf', 'sudo dnf install valkey'],
    ['apk', 'apk add redis'],
    ['pacman', 'sudo pacman -S valkey'],
  ];
  const fallback = process.platform === 'darwin' ? 'brew install redis' : 'install redis';
  const command = commands.find(([tool]) => findExecutable([tool]) !== undefined)?.[1] ?? fallback;
  return `no Redis or Valkey of version ${oldestVersion.join('.')} or newer was found: ${command}`;
}
