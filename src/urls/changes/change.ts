import { isShortCode } from '../../keys/short-code.ts';

/** A short URL has this version now; what is older is wrong. */
export interface UrlChange {
  shortCode: string;
  version: number;
}

/** A change as it travels, alone or behind others and a space: "version:short code". */
export const writeChange = ({ shortCode, version }: UrlChange) => `${version}:${shortCode}`;

/** The changes that a text announces, separated by spaces; what is none is left out. */
export const readChanges = (text: string): UrlChange[] =>
  text.split(' ').flatMap((part) => {
    const [, version, shortCode] = /^(\d{1,16}):(\S{1,256})$/.exec(part) ?? [];
    const isChange =
      shortCode !== undefined && isShortCode(shortCode) && Number.isSafeInteger(Number(version));
    return isChange ? [{ shortCode, version: Number(version) }] : [];
  });
