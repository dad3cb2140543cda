import { rename } from 'node:fs/promises';
import { errorCode } from './processes.ts';

/** Whether what is in a folder runs. */
export type IsUsable = (folder: string) => Promise<boolean>;

/**
 * Renames a complete copy to its final name. A copy there that does not run is moved to `trash`, which must not exist; a usable one,
 * which another process put there first, stays.
 */
export async function putInPlace(
  copy: string,
  folder: string,
  { isUsable, trash }: { isUsable: IsUsable; trash: string },
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await rename(copy, folder);
    } catch (error) {
      if (!['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(errorCode(error))) throw error;
    }
    if (await isUsable(folder)) return;
    await rename(folder, `${trash}-${attempt}`).catch((error: unknown) => {
      if (errorCode(error) !== 'ENOENT') throw error;
    });
  }
}
