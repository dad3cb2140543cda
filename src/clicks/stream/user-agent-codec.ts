import type { ClickDetail } from '../click-detail.ts';
import { isShortText } from '../short-text.ts';

type EncodedFields = Pick<ClickDetail, 'browser' | 'os' | 'device' | 'isBot'>;

/** Common names are stored as one letter: a waiting click with full details then needs at most 45 bytes of Redis
 *  memory. Other releases read the same batches, so a letter never changes its meaning. */
const letters = {
  A: 'Android',
  C: 'Chrome',
  D: 'desktop',
  E: 'Microsoft Edge',
  F: 'Firefox',
  I: 'iOS',
  L: 'Linux',
  M: 'macOS',
  O: 'Opera',
  P: 'mobile',
  S: 'Safari',
  T: 'tablet',
  U: 'Samsung Internet for Android',
  W: 'Windows',
};
const nameByLetter = new Map(Object.entries(letters));
const letterByName = new Map(Object.entries(letters).map(([letter, text]) => [text, letter]));

/** Control characters that occur in no name. `literal` marks a name of one character. */
const [separator, literal] = ['\t', '\v'];

/** Encodes browser, operating system and device as one line, followed by 1 for a bot. */
export const encodeUserAgent = ({ browser, os, device, isBot }: EncodedFields): string =>
  `${encodePart(browser)}${separator}${encodePart(os)}${separator}${encodePart(device)}${separator}${isBot ? '1' : ''}`;

/** Decodes what `encodeUserAgent` wrote; undefined for anything else. */
export function decodeUserAgent(text: string): EncodedFields | undefined {
  const parts = text.split(separator);
  const bot = parts.pop();
  const [browser, os, device] = parts.map(decodePart);
  if (parts.length !== 3 || browser === undefined || os === undefined || device === undefined)
    return undefined;
  const isValid = (bot === '' || bot === '1') && [browser, os, device].every(isShortText);
  return isValid ? { browser, os, device, isBot: bot === '1' } : undefined;
}

const encodePart = (part: string) => letterByName.get(part) ?? (part.length === 1 ? part + literal : part);

function decodePart(written: string): string | undefined {
  if (written.length === 1) return nameByLetter.get(written);
  return written.length === 2 && written.endsWith(literal) ? written.slice(0, 1) : written;
}
