import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Builds the service, or another project, into a folder of this checkout. */
export async function buildInto(folder: string, project = 'tsconfig.build.json'): Promise<void> {
  await promisify(execFile)('node_modules/.bin/tsc', ['-p', project, '--outDir', folder]);
}
