import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Builds what the Procfile runs into a folder of this checkout. */
export async function buildInto(folder: string): Promise<void> {
  await promisify(execFile)('node_modules/.bin/tsc', ['-p', 'tsconfig.build.json', '--outDir', folder]);
}
