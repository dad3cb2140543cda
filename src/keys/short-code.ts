/** What a short code may look like: 1 to 64 letters, marks and digits of any script, "-" and "_", with single dots between. Those that
 *  are made here are shorter and in ASCII. Characters that nobody sees are no part of one. */
export const shortCodePattern =
  /^(?=[^]{1,64}$)(?!\p{M})(?![^]*\p{DI})[\p{L}\p{M}\p{N}_-]+(?:\.[\p{L}\p{M}\p{N}_-]+)*$/u;

/** What most codes look like; every such text is a code unless it is reserved. */
const plainPattern = /^[\w-]{1,64}$/;

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

/** Whether a code is a reserved word, or one with an extension, such as `robots.txt`. */
export const isReserved = (code: string): boolean =>
  reservedWords.has((code.includes('.') ? code.slice(0, code.indexOf('.')) : code).toLowerCase());

let ignoresCase = false;

/** Sets whether this process reads, stores and generates short codes in lower case. */
export function ignoreCodeCase(isIgnored: boolean): void {
  ignoresCase = isIgnored;
}

/** Whether this process reads, stores and generates short codes in lower case. */
export const isCodeCaseIgnored = (): boolean => ignoresCase;

/** A short code in lower case and normalisation form C, whatever the locale. */
export const inLowerCase = (code: string): string => code.toLowerCase().normalize('NFC');

/** A short code as this process looks it up and stores it: in lower case where upper and lower case are the same. */
export const foldCode = (code: string): string => (ignoresCase ? inLowerCase(code) : code);

/** Whether a text can be a short code at all, as codes are stored: in normalisation form C. What cannot is never looked up. */
export function isShortCode(text: string): boolean {
  if (isReserved(text)) return false;
  return plainPattern.test(text) || (shortCodePattern.test(text) && text.normalize('NFC') === text);
}

/** Longer than any code whose characters are all percent-encoded. */
const maxPathLength = 1_024;
/** Characters that nobody sees: they come along where a text is copied. */
const invisible = /\p{DI}/gu;
/** What follows a URL in a text: spaces, full stops, commas, closing brackets and quotes. */
const trailing = /[\s\p{Pe}\p{Pf}.,;:!?'"`*>…。，、！？]+$/u;

/** A text without the invisible characters, and the closing punctuation, that come along where a URL is copied out of a sentence. */
export const withoutPunctuation = (text: string): string =>
  text.replaceAll(invisible, '').replace(trailing, '');

/** The short code that a text means: the text itself, or what is left of it in normalisation form C without what was copied along.
 *  Undefined where that is none. */
export function toShortCode(text: string): string | undefined {
  if (isShortCode(text)) return foldIfCode(text);
  if (text.length > maxPathLength) return undefined;
  const code = withoutPunctuation(text).normalize('NFC');
  return isShortCode(code) ? foldIfCode(code) : undefined;
}

/** A few characters of other scripts have more characters in lower case: the result may be too long. */
function foldIfCode(code: string): string | undefined {
  const folded = foldCode(code);
  return folded === code || isShortCode(folded) ? folded : undefined;
}

/** The short code that a path part of a request means, percent-decoded (RFC 3986, 6.2.2.2). Undefined
 *  where it means none. What is a code as it is costs no more than `isShortCode`. */
export function readShortCode(path: string): string | undefined {
  if (isAsIs(path)) return isReserved(path) ? undefined : foldCode(path);
  const text = decodePath(path);
  return text === undefined ? undefined : toShortCode(text);
}

const isAsIs = (path: string) => plainPattern.test(path);

/** A path part of a request as the text that it stands for; undefined where it is none. */
export function decodePath(path: string): string | undefined {
  if (path.length > maxPathLength || path.includes('/')) return undefined;
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}
