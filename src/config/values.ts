import { z } from 'zod';
import { type ParsedUrl, parseUrl } from '../parse-url.ts';

/** A setting that is true or false. */
export const flag = (fallback: boolean) => z.stringbool({ error: 'must be true or false' }).default(fallback);
/** A setting that is a URL of such a protocol. */
export const url = (protocol: RegExp, example: string) =>
  z.url({ protocol, error: `must be a URL such as ${example}`, abort: true });
/** A host name as the URL parser spells it, which is how URLs to it are compared; undefined when it is none. */
export const hostname = (text: string) =>
  /^[^/?#@\\]+$/.test(text) ? parseUrl(`http://${text}`)?.hostname : undefined;
/** Whether a URL is an origin and nothing else. */
export const isOrigin = (parsed: ParsedUrl | undefined) =>
  parsed !== undefined && parsed.href === `${parsed.origin}/`;
