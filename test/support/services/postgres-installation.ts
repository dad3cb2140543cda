import { existsSync, readdirSync } from 'node:fs';
import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import {
  debianLibraryPath,
  fetchDebianPackages,
  hasDebianPackages,
} from '../../../scripts/services/debian-packages.ts';
import { type PostgresBinaries, sharedFolder } from '../../../scripts/services/postgres-binaries.ts';
import { run } from '../../../scripts/services/run-command.ts';

const programs = ['initdb', 'postgres', 'pg_dump', 'pg_restore', 'psql'];
/** The folder of packaged PostgreSQL versions. */
const roots = ['/usr/lib/postgresql', '/opt/homebrew/opt', '/usr/local/opt'];

/** A server and its client programs of the same version: `pg_dump` rejects a newer server. */
export interface PostgresInstallation {
  binaries: PostgresBinaries;
  /** The folder of the programs, for PATH. */
  bin: string;
}

/** Whether one is installed or can be downloaded. */
export const hasPostgresInstallation = (): boolean => installed().length > 0 || hasDebianPackages();

/** Finds the newest installed PostgreSQL that has a server and the client programs, or fetches Debian's. (The one that npm
 *  installs has no client programs.) */
export async function findPostgresInstallation(): Promise<PostgresInstallation> {
  const bin = installed().at(-1) ?? (await fetchInstallation());
  const answer = await run(path.join(bin, 'postgres'), ['--version'], { cwd: '/' });
  const version = /\d+\.\d+/.exec(answer)?.[0] ?? answer.trim();
  return {
    bin,
    binaries: { initdb: path.join(bin, 'initdb'), postgres: path.join(bin, 'postgres'), version },
  };
}

/** Folders with all programs, the newest version last. */
function installed(): string[] {
  return roots
    .filter((root) => existsSync(root))
    .flatMap((root) => readdirSync(root).map((name) => path.join(root, name, 'bin')))
    .filter((bin) => programs.every((program) => existsSync(path.join(bin, program))))
    .toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}

/** Downloads Debian's PostgreSQL for the user of the server; returns a folder with a script per program. */
async function fetchInstallation(): Promise<string> {
  const into = process.getuid?.() === 0 ? sharedFolder : '.cache';
  const folder = await fetchDebianPackages(['postgresql'], into);
  const [version = ''] = await readdir(path.join(folder, 'usr/lib/postgresql'));
  const scripts = path.join(folder, 'linkmill-bin');
  await mkdir(scripts, { recursive: true });
  for (const program of programs) {
    const real = path.join(folder, 'usr/lib/postgresql', version, 'bin', program);
    const script = path.join(scripts, program);
    const lines = [
      '#!/bin/sh',
      `export LD_LIBRARY_PATH='${debianLibraryPath(folder)}'`,
      `exec '${real}' "$@"`,
      '',
    ];
    await writeFile(script, lines.join('\n'));
    await chmod(script, 0o755);
  }
  return scripts;
}
