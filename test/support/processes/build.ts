import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';

/** Builds the service, or another project, with the dashboard into a folder of this checkout. */
export async function buildInto(folder: string, project = 'tsconfig.build.json'): Promise<void> {
  await Promise.all([
    run('tsc', ['-p', project, '--outDir', folder]),
    run('vite', ['build', 'src/dashboard', '--outDir', path.resolve(folder, 'dashboard')]),
  ]);
}

async function run(command: string, args: string[]): Promise<void> {
  // A build for development would be larger.
  const env = { ...process.env, NODE_ENV: 'production' };
  await promisify(execFile)(`node_modules/.bin/${command}`, args, { env });
}
