/** The syntax of short codes: 1 to 64 letters, marks and digits of any script, "-" and "_", with single dots between.
 *  Invisible characters are not allowed. Generated codes are shorter and in ASCII. */
export const shortCodePattern =
  /^(?=[^]{1,64}$)(?!\p{M})(?![^]*\p{DI})[\p{L}\p{M}\p{N}_-]+(?:\.[\p{L}\p{M}\p{N}_-]+)*$/u;

/** The syntax of most codes. Every match is a valid code unless it is reserved. */
const plainPattern = /^[\w-]{1,64}$/;

/** First path segments that the service uses itself, in lower case. */
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

/** A short code in lower case and in normalisation form C, independent of the locale. */
export const inLowerCase = (code: string): string => code.toLowerCase().normalize('NFC');

/** A short code as this process looks it up and stores it: in lower case if codes are case-insensitive. */
export const foldCode = (code: string): string => (ignoresCase ? inLowerCase(code) : code);

/** Whether a text is a valid short code as codes are stored, in normalisation form C. Anything else is never looked
 *  up. */
export function isShortCode(text: string): boolean {
  if (isReserved(text)) return false;
  return plainPattern.test(text) || (shortCodePattern.test(text) && text.normalize('NFC') === text);
}

/** Longer than any code whose characters are all percent-encoded. */
const maxPathLength = 1_024;
/** Invisible characters, which get copied along with a text. */
const invisible = /\p{DI}/gu;
/** Characters that often follow a URL in a text: spaces, full stops, commas, closing brackets and quotes. */
const trailing = /[\s\p{Pe}\p{Pf}.,;:!?'"`*>…。，、！？]+$/u;

/** Removes invisible characters and closing punctuation, which get copied along with a URL in a sentence. */
export const withoutPunctuation = (text: string): string =>
  text.replaceAll(invisible, '').replace(trailing, '');

/** Reads a short code from a text, if necessary after removing punctuation and normalising it. Undefined if the text
 *  contains no valid code. */
export function toShortCode(text: string): string | undefined {
  if (isShortCode(text)) return foldIfCode(text);
  if (text.length > maxPathLength) return undefined;
  const code = withoutPunctuation(text).normalize('NFC');
  return isShortCode(code) ? foldIfCode(code) : undefined;
}

/** A few characters of other scripts become longer in lower case, so the result may exceed the length limit. */
function foldIfCode(code: string): string | undefined {
  const folded = foldCode(code);
  return folded === code || isShortCode(folded) ? folded : undefined;
}

/** Reads a short code from a percent-encoded path segment (RFC 3986, 6.2.2.2). Undefined if it is no valid code. A
 *  plain code costs no more than `isShortCode`. */
export function readShortCode(path: string): string | undefined {
  if (isPlain(path)) return isReserved(path) ? undefined : foldCode(path);
  const text = decodePath(path);
  return text === undefined ? undefined : toShortCode(text);
}

const isPlain = (path: string) => plainPattern.test(path);

/** Decodes a path segment; undefined if it is too long, contains a slash or is malformed. */
export function decodePath(path: string): string | undefined {
  if (path.length > maxPathLength || path.includes('/')) return undefined;
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}
