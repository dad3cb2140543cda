import { rename } from 'node:fs/promises';
import { errorCode } from './processes.ts';

/** Whether the content of a folder runs. */
export type IsUsable = (folder: string) => Promise<boolean>;

/** Renames a complete copy to its final name. Moves an unusable copy there to `trash`, which must not exist; keeps a
 *  usable one, which another process has put there. */
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
