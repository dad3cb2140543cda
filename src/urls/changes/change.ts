import { isShortCode } from '../../keys/short-code.ts';

/** A short URL's new version; all older versions are outdated. */
export interface UrlChange {
  shortCode: string;
  version: number;
}

/** Encodes a change as "version:short code". Messages contain one or more of them, separated by spaces. */
export const encodeChange = ({ shortCode, version }: UrlChange) => `${version}:${shortCode}`;

/** Decodes the changes of a message; skips invalid parts. */
export const decodeChanges = (text: string): UrlChange[] =>
  text.split(' ').flatMap((part) => {
    const [, version, shortCode] = /^(\d{1,16}):(\S{1,256})$/.exec(part) ?? [];
    const isChange =
      shortCode !== undefined && isShortCode(shortCode) && Number.isSafeInteger(Number(version));
    return isChange ? [{ shortCode, version: Number(version) }] : [];
  });
