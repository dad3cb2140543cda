import { readRegularFile } from './regular-file.ts';

/** Parameter of a store's URL that names the file of the password, which is read for each new connection. */
export const passwordFileParam = 'password_file';

/** The first password of a file without the line breaks at its end; undefined where it cannot be read or is empty. */
export function readPasswordFile(file: string): string | undefined {
  try {
    return withoutLineEnd(readRegularFile(file)) || undefined;
  } catch {
    return undefined;
  }
}

/** A text without a byte order mark at its start and line breaks at its end, which editors and shells add. */
export function withoutLineEnd(text: string): string {
  return text.replace(/^\uFEFF/, '').replace(/[\r\n]+$/, '');
}
