import path from 'node:path';
import { fetchDebianPackages, hasDebianPackages } from '../../../scripts/services/debian-packages.ts';
import { CommandFailed, findExecutable, run } from '../../../scripts/services/run-command.ts';

const onPath = () => findExecutable(['promtool']);

/** Whether promtool is installed or can be downloaded. */
export const hasPromtool = (): boolean => onPath() !== undefined || hasDebianPackages();

/** Runs an installed promtool or Debian's; resolves to its exit code and output. */
export async function promtool(args: string[], input = ''): Promise<{ code: number | null; output: string }> {
  const command = onPath() ?? path.join(await fetchPrometheus(), 'usr/bin/promtool');
  try {
    return { code: 0, output: await run(command, args, { input }) };
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    return { code: error.code, output: error.message };
  }
}

async function fetchPrometheus(): Promise<string> {
  const isUsable = async (folder: string) =>
    await run(path.join(folder, 'usr/bin/promtool'), ['--version']).then(
      () => true,
      () => false,
    );
  return await fetchDebianPackages(['prometheus'], '.cache', { isUsable });
}
