/** What a short code may look like. Those that other services gave may be shorter than those that are made here. */
export const shortCodePattern = /^[A-Za-z0-9_-]{1,32}$/;

/** What a code looks like that is asked for; generated ones do, too. */
export const customCodePattern = /^[A-Za-z0-9_-]{4,32}$/;

/** First path parts that belong to the service itself, in any spelling of upper and lower case. */
export const reservedWords: ReadonlySet<string> = new Set([
  'admin',
  'api',
  'assets',
  'docs',
  'favicon',
  'health',
  'healthz',
  'login',
  'logout',
  'metrics',
  'openapi',
  'report',
  'robots',
  'sitemap',
  'static',
  'stats',
  'status',
  'well-known',
]);

/** Whether a path part can be a short code at all; what cannot is never looked up. */
export function isShortCode(text: string): boolean {
  return shortCodePattern.test(text) && !reservedWords.has(text.toLowerCase());
}
