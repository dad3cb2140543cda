import { readRegularFile } from './regular-file.ts';

/** Parameter of a store's URL with the path of the password file, which is read for each new connection. */
export const passwordFileParam = 'password_file';

/** The password in a file, without trailing line breaks; undefined when the file cannot be read or is empty. */
export function readPasswordFile(file: string): string | undefined {
  try {
    return withoutLineEnd(readRegularFile(file)) || undefined;
  } catch {
    return undefined;
  }
}

/** Removes a byte order mark and trailing line breaks, which editors and shells add. */
export function withoutLineEnd(text: string): string {
  return text.replace(/^\uFEFF/, '').replace(/[\r\n]+$/, '');
}
