import { isShortCode } from './short-code.ts';

/** A short URL has this version now; what is older is wrong. */
export interface UrlChange {
  shortCode: string;
  version: number;
}

/** A change as it travels: "version:short code". */
export const writeChange = ({ shortCode, version }: UrlChange) => `${version}:${shortCode}`;

/** The change that a text announces; undefined when it is none. */
export function readChange(text: string): UrlChange | undefined {
  const [, version, shortCode] = /^(\d{1,16}):([\w-]{1,32})$/.exec(text) ?? [];
  if (shortCode === undefined || !isShortCode(shortCode) || !Number.isSafeInteger(Number(version)))
    return undefined;
  return { shortCode, version: Number(version) };
}
