import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { inject } from 'vitest';
import { track } from '../resources.ts';
import { commandOf, launch, placeWeb, readyWeb, readyWorker, type Settings } from './launch.ts';

/** The build of a later version: a copy of this one with additional migrations (names and texts of files). */
export async function createLaterBuild(later: Record<string, string>) {
  // Below the checkout, so that packages are found.
  const folder = await mkdtemp(path.resolve('.cache/later-build-'));
  const closed = track('later build');
  await cp(inject('buildFolder'), folder, { recursive: true });
  for (const [name, text] of Object.entries(later))
    await writeFile(path.join(folder, 'migrations', `${name}.js`), text);
  const start = (entry: string, settings: Settings) =>
    launch(commandOf(folder, entry), settings, track(`process ${entry} of the later build`));
  return {
    folder,
    migrate: (settings: Settings) => start('src/cli/migrate.js', settings),
    startWeb: async (settings: Settings) => {
      const placed = await placeWeb(settings);
      return await readyWeb(start('src/web.js', placed), placed);
    },
    startWorker: async (settings: Settings) => await readyWorker(start('workers/main.js', settings)),
    remove: async () => {
      await rm(folder, { recursive: true });
      closed();
    },
  };
}
