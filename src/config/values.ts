import { z } from 'zod';
import { type ParsedUrl, parseUrl } from '../validation/parse-url.ts';

/** A boolean setting. */
export const flag = (fallback: boolean) => z.stringbool({ error: 'must be true or false' }).default(fallback);
/** A URL with a given protocol. */
export const url = (protocol: RegExp, example: string) =>
  z.url({ protocol, error: `must be a URL such as ${example}`, abort: true });
/** Normalizes a host name as the URL parser does; undefined when it is invalid. */
export const hostname = (text: string) =>
  /^[^/?#@\\]+$/.test(text) ? parseUrl(`http://${text}`)?.hostname : undefined;
/** The same with the port, if it has one other than 80. */
export const hostAndPort = (text: string) =>
  hostname(text) === undefined ? undefined : parseUrl(`http://${text}`)?.host;
/** Whether a URL is an origin without a path. */
export const isOrigin = (parsed: ParsedUrl | undefined) =>
  parsed !== undefined && parsed.href === `${parsed.origin}/`;
/** Splits a comma-separated list. */
export const listOf = (text: string) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean);
/** Normalizes an origin as browsers send it in `Origin`, or `*`; undefined when it is invalid. */
export function readOrigin(text: string): string | undefined {
  if (text === '*') return text;
  const parsed = parseUrl(text);
  if (isOrigin(parsed)) return parsed!.origin;
  // Such as the origins of browser extensions, which the URL Standard does not define.
  return /^(?!https?:)[a-z][a-z\d+.-]*:\/\/[\w.-]+$/i.test(text) ? text.toLowerCase() : undefined;
}
/** Whether a URL is an origin, with or without a path of unreserved characters. */
export const isBase = (parsed: ParsedUrl | undefined) =>
  isOrigin(parsed) ||
  (parsed?.href === `${parsed?.origin}${parsed?.pathname}` &&
    /^(?:\/[\w.~-]+)*\/?$/.test(parsed?.pathname ?? '*'));
