import { createHash, randomBytes } from 'node:crypto';
import { existsSync, lstatSync, readlinkSync } from 'node:fs';
import { chown, mkdir, readFile, realpath, rename, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type PostgresBinaries, sharedFolder } from './postgres-binaries.ts';
import { type ServerUser, mayEnter } from './postgres-user.ts';
import { type EndingSteps, commandOf, endProcess, markProcess } from './processes.ts';
import { run } from './run-command.ts';

/** The superuser of every private server, and the database of Linkmill. */
export const ownName = 'linkmill';

/** SIGINT disconnects all clients and shuts down cleanly; SIGQUIT exits at once and relies on crash recovery. */
export const ending: EndingSteps = [
  ['SIGINT', 20_000],
  ['SIGQUIT', 5_000],
  ['SIGKILL', 5_000],
];

/** The real folder for the data at `dataDir`: usually the same. If the server's user may not enter it, the data is
 *  below `sharedFolder` and `dataDir` becomes a link to it. Deleting the link starts with an empty database. */
export async function placeData(dataDir: string, user: ServerUser | undefined): Promise<string> {
  const parent = path.dirname(path.resolve(dataDir));
  await mkdir(parent, { recursive: true });
  const asked = path.join(await realpath(parent), path.basename(dataDir));
  if (!user || (await mayEnter(parent, user))) return asked;
  const id = createHash('sha256').update(asked).digest('hex').slice(0, 12);
  const place = path.join(sharedFolder, 'data', id);
  // A link to another folder came with a copied checkout; its data belongs to the original.
  if (linkTarget(asked) === place) return place;
  await endLeftOver(place, () => undefined);
  await rm(place, { recursive: true, force: true });
  await mkdir(path.dirname(place), { recursive: true, mode: 0o755 });
  await rm(asked, { recursive: true, force: true });
  await symlink(place, asked);
  return place;
}

/** Removes the data at `dataDir`, wherever it is stored; no server may use it. */
export async function removeData(dataDir: string): Promise<void> {
  const target = linkTarget(dataDir);
  if (target) await rm(target, { recursive: true, force: true });
  await rm(dataDir, { recursive: true, force: true });
}

/** Creates an empty cluster in `place` atomically: UTF-8, the same collation on every machine, and a random
 *  password. */
export async function initialise(
  place: string,
  { binaries, user, sync }: { binaries: PostgresBinaries; user: ServerUser | undefined; sync: boolean },
): Promise<void> {
  const fresh = `${place}.new`;
  const password = `${place}.password`;
  await rm(fresh, { recursive: true, force: true });
  await mkdir(fresh, { mode: 0o700 });
  await writeFile(password, `${randomBytes(16).toString('hex')}\n`, { mode: 0o600 });
  if (user) for (const file of [fresh, password]) await chown(file, user.uid, user.gid);
  const args = [
    '-D',
    fresh,
    `--username=${ownName}`,
    `--pwfile=${password}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--no-locale',
    // Older versions use the collation C.
    ...(Number.parseInt(binaries.version, 10) < 17
      ? []
      : ['--locale-provider=builtin', '--builtin-locale=C.UTF-8']),
    ...(sync ? [] : ['--no-sync']),
  ];
  await run(binaries.initdb, args, { ...user, cwd: '/', env: { ...process.env, LC_ALL: 'C' } });
  await rename(password, passwordFile(fresh));
  await rename(fresh, place);
}

/** The password from `initialise`. */
export async function readPassword(place: string): Promise<string> {
  return (await readFile(passwordFile(place), 'utf8')).trim();
}

/** Throws an Error with a remedy if these binaries cannot read the data. */
export async function checkVersion(place: string, { version }: PostgresBinaries): Promise<void> {
  const dataVersion = (await readFile(path.join(place, 'PG_VERSION'), 'utf8')).trim();
  if (dataVersion === version.split('.')[0]) return;
  throw new Error(
    `${place} was made by PostgreSQL ${dataVersion} and this is ${version}: move it away to start afresh`,
  );
}

/** Stops the server that a killed supervisor left running on the data at `dataDir`, and removes the pid file of an
 *  ended one. */
export async function endLeftOver(dataDir: string, print: (line: string) => void): Promise<void> {
  if (!existsSync(dataDir)) return;
  const place = await realpath(dataDir);
  const file = path.join(place, 'postmaster.pid');
  if (!existsSync(file)) return;
  const pid = Number.parseInt(await readFile(file, 'utf8'), 10);
  const mark = pid > 0 ? markProcess(pid) : undefined;
  if (mark && isServerOf(place, pid)) {
    print(`stopping the PostgreSQL that an earlier run left behind (pid ${pid})`);
    await endProcess(mark, ending);
  } else {
    // PostgreSQL would refuse to start while anything has that pid: a zombie of its own or another program. That the
    // server's memory is no longer in use it finds out without this file.
    await rm(file, { force: true });
  }
}

function isServerOf(place: string, pid: number): boolean {
  const command = `${commandOf(pid)} `;
  return command.includes('postgres') && command.includes(` -D ${place} `);
}

function linkTarget(file: string): string | undefined {
  return lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() ? readlinkSync(file) : undefined;
}

function passwordFile(place: string): string {
  return path.join(place, `${ownName}.password`);
}
