import type { ClickDetail } from '../click-detail.ts';
import { isShortText } from '../short-text.ts';

type Agent = Pick<ClickDetail, 'browser' | 'os' | 'device' | 'isBot'>;

/** Letters for what most agents are made of. Batches are read by other releases too: no letter ever stands for anything else. */
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
const textOf = new Map(Object.entries(letters));
const letterOf = new Map(Object.entries(letters).map(([letter, text]) => [text, letter]));

/** Both are control characters, which no part has. `literal` follows a part that would be read as a letter. */
const [separator, literal] = ['\t', '\v'];

/** Browser, system and device in one line, with a 1 for a bot. */
export const writeAgent = ({ browser, os, device, isBot }: Agent): string =>
  `${writePart(browser)}${separator}${writePart(os)}${separator}${writePart(device)}${separator}${isBot ? '1' : ''}`;

/** Reads what writeAgent wrote; undefined when it is anything else. */
export function readAgent(text: string): Agent | undefined {
  const parts = text.split(separator);
  const bot = parts.pop();
  const [browser, os, device] = parts.map(readPart);
  if (parts.length !== 3 || browser === undefined || os === undefined || device === undefined)
    return undefined;
  const isSound = (bot === '' || bot === '1') && [browser, os, device].every(isShortText);
  return isSound ? { browser, os, device, isBot: bot === '1' } : undefined;
}

const writePart = (part: string) => letterOf.get(part) ?? (part.length === 1 ? part + literal : part);

function readPart(written: string): string | undefined {
  if (written.length === 1) return textOf.get(written);
  return written.length === 2 && written.endsWith(literal) ? written.slice(0, 1) : written;
}
