import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { cp, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { inject } from 'vitest';
import type { Settings } from './launch.ts';

/** The shell blocks below a heading of docs/runbook.md, in order and without indentation. */
export function shellBlocksOf(heading: string): string[] {
  const [, section] = readFileSync('docs/runbook.md', 'utf8').split(`\n${heading}\n`);
  if (section === undefined) throw new Error(`docs/runbook.md has no heading "${heading}"`);
  const [own = ''] = section.split(/\n#{2,3} /);
  return [...own.matchAll(/^( *)```sh\n([\s\S]*?)^\1```$/gm)].map(([, indent = '', block = '']) =>
    block.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  );
}

/** Starts and stops processes in place of systemd, behind a fake `systemctl`. */
export interface Supervisor {
  start: (unit: string) => Promise<unknown>;
  stop: (unit: string) => Promise<unknown>;
}

/** A checkout on a machine, with a build and an `.env` file, in which the commands of the runbook run. */
export async function createMachine(
  settings: Settings,
  options: { path: string; supervisor?: Supervisor; build?: string },
) {
  const folder = await mkdtemp(path.join(tmpdir(), 'linkmill runbook '));
  // Copied, because a linked script would look for the build beside the original.
  for (const name of ['package.json', 'scripts/preflight.cjs']) await cp(name, path.join(folder, name));
  await symlink(options.build ?? inject('buildFolder'), path.join(folder, 'dist'));
  await symlink(path.resolve('node_modules'), path.join(folder, 'node_modules'));
  const lines = Object.entries(settings).map(([name, value]) => `${name}='${value}'\n`);
  await writeFile(path.join(folder, '.env'), lines.join(''));
  const [loadSettings = ''] = shellBlocksOf('## Before you start');

  async function runShell(commands: string, variables: Record<string, string>): Promise<string> {
    const child = spawn('bash', ['--norc', '-euo', 'pipefail', '-c', `${loadSettings}\n${commands}`], {
      cwd: folder,
      env: { PATH: `${options.path}:${process.env['PATH']}`, ...variables },
    });
    child.stdin.end();
    const [stdout, stderr, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close') as Promise<[number | null]>,
    ]);
    if (code !== 0) throw new Error(`exit code ${code} of:\n${commands}\n${stdout}${stderr}`);
    return stdout;
  }

  async function supervise(action: string, units: string[]): Promise<void> {
    const { supervisor } = options;
    if (!supervisor) throw new Error(`nothing can ${action} ${units.join(', ')} here`);
    for (const unit of units) await (action === 'start' ? supervisor.start(unit) : supervisor.stop(unit));
  }

  return {
    folder,

    /** Runs a block of the runbook; resolves to its standard output, and rejects at the first command that fails. */
    async run(block: string, variables: Record<string, string> = {}): Promise<string> {
      let output = '';
      for (const part of block.split(/^(systemctl .*\n)/m)) {
        const [, action, units] = /^systemctl (start|stop) (.*)\n$/.exec(part) ?? [];
        if (action !== undefined && units !== undefined) await supervise(action, units.split(' '));
        else if (part.trim() !== '') output += await runShell(part, variables);
      }
      return output;
    },

    remove: async (): Promise<void> => await rm(folder, { recursive: true, force: true }),
  };
}
