import { parseUrl } from '../../validation/parse-url.ts';

/** Schemes to which no redirect may lead: a browser would run or show what the URL itself says, or what is on the visitor's machine. */
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

/** Longest URL that a redirect carries, in characters, whoever stored it: clients accept no longer header. */
const maxLength = 32_768;
const unsafeScheme = new RegExp(`^(?:${unsafeSchemes.join('|')}):`, 'i');
/** What a header can carry byte for byte. A space is in URLs such as `mailto:a b`. */
const headerText = /^[ -~]+$/;

/** Whether a URL in the form that the URL parser writes can be a `Location`: ASCII without control characters, with a scheme
 *  that is safe to follow. */
export const isServable = (href: string): boolean =>
  href.length <= maxLength && headerText.test(href) && !unsafeScheme.test(href);

/** What a redirect to a stored URL carries: what Linkmill stored, byte for byte, and what another program stored in the form that
 *  the URL parser gives it. Undefined where that is no absolute URL, or not safe to follow. */
export function readServedUrl(stored: string): string | undefined {
  const href = parseUrl(stored)?.href;
  return href !== undefined && isServable(href) ? href : undefined;
}
