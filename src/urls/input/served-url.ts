import { parseUrl } from '../../validation/parse-url.ts';

/** Schemes that a redirect must not use: a browser would execute or display the URL's own content, or open local
 *  files. */
export const unsafeSchemes: readonly string[] = [
  'about',
  'blob',
  'data',
  'file',
  'filesystem',
  'javascript',
  'jar',
  'vbscript',
  'view-source',
];

/** Maximum length of any redirect's URL, in characters: clients accept no longer header. */
const maxLength = 32_768;
const unsafeScheme = new RegExp(`^(?:${unsafeSchemes.join('|')}):`, 'i');
/** Characters that a header transmits byte for byte. Some URLs contain spaces, such as `mailto:a b`. */
const headerText = /^[ -~]+$/;

/** Whether a URL in the URL parser's spelling can be a `Location`: ASCII without control characters, and with a safe
 *  scheme. */
export const isServable = (href: string): boolean =>
  href.length <= maxLength && headerText.test(href) && !unsafeScheme.test(href);

/** Returns the redirect target for a stored URL: unchanged if Linkmill stored it, normalised if another program did.
 *  Undefined if it is not absolute or not safe. */
export function readServedUrl(stored: string): string | undefined {
  const href = parseUrl(stored)?.href;
  return href !== undefined && isServable(href) ? href : undefined;
}
