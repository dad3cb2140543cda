import { readFile } from 'node:fs/promises';
import { cpus, totalmem, type as osType, release } from 'node:os';

/** The machine of a measurement: processors, memory, system, and versions of Node.js and other programs. */
export async function describeMachine(versions: Record<string, string>): Promise<string> {
  const processors = cpus();
  return [
    `${processors.length} processors (${processors[0]?.model.trim() ?? 'unknown'})`,
    `${Math.round(totalmem() / 2 ** 30)} GiB of memory`,
    await describeSystem(),
    ...Object.entries({ 'Node.js': process.versions.node, ...versions }).map(([name, v]) => `${name} ${v}`),
  ].join('; ');
}

async function describeSystem(): Promise<string> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '');
  return `${/^PRETTY_NAME="(.+)"/m.exec(text)?.[1] ?? osType()}, kernel ${release()}`;
}
