import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, inject } from 'vitest';
import { run } from '../../../scripts/services/run-command.ts';

const folder = path.join(inject('buildFolder'), 'dashboard');

/** Builds the dashboard for the web process of a test file, once per run. Must come before `useWeb`. */
export function useDashboardBuild(): { folder: string } {
  beforeAll(async () => {
    if (existsSync(folder)) return;
    // Test files run side by side: each builds into a folder of its own, and the first one is kept.
    const outDir = `${folder}-${process.pid}`;
    const env = { ...process.env, NODE_ENV: 'production' };
    await run('node_modules/.bin/vite', ['build', 'src/dashboard', '--outDir', outDir], { env });
    await rename(outDir, folder).catch(async () => await rm(outDir, { recursive: true }));
  });
  return { folder };
}
