import { z } from 'zod';
import { type ParsedUrl, parseUrl } from '../validation/parse-url.ts';

/** A setting that is true or false. */
export const flag = (fallback: boolean) => z.stringbool({ error: 'must be true or false' }).default(fallback);
/** A setting that is a URL of such a protocol. */
export const url = (protocol: RegExp, example: string) =>
  z.url({ protocol, error: `must be a URL such as ${example}`, abort: true });
/** A host name as the URL parser spells it, which is how URLs to it are compared; undefined when it is none. */
export const hostname = (text: string) =>
  /^[^/?#@\\]+$/.test(text) ? parseUrl(`http://${text}`)?.hostname : undefined;
/** The same with its port, if one is given; 80 is left out. */
export const hostAndPort = (text: string) =>
  hostname(text) === undefined ? undefined : parseUrl(`http://${text}`)?.host;
/** Whether a URL is an origin and nothing else. */
export const isOrigin = (parsed: ParsedUrl | undefined) =>
  parsed !== undefined && parsed.href === `${parsed.origin}/`;
/** The parts of a setting that is a list with commas. */
export const listOf = (text: string) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean);
/** An origin as browsers send it in `Origin`, or `*`; undefined when it is neither. */
export function readOrigin(text: string): string | undefined {
  if (text === '*') return text;
  const parsed = parseUrl(text);
  if (isOrigin(parsed)) return parsed!.origin;
  // Such as those of extensions, which have no origin in the URL Standard.
  return /^(?!https?:)[a-z][a-z\d+.-]*:\/\/[\w.-]+$/i.test(text) ? text.toLowerCase() : undefined;
}
/** Whether a URL is an origin, alone or with a path of plain characters. */
export const isBase = (parsed: ParsedUrl | undefined) =>
  isOrigin(parsed) ||
  (parsed?.href === `${parsed?.origin}${parsed?.pathname}` &&
    /^(?:\/[\w.~-]+)*\/?$/.test(parsed?.pathname ?? '*'));
