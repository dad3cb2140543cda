import { domainToUnicode } from 'node:url';

/** What of a short URL is searched. */
export interface SearchedFields {
  shortCode: string;
  originalUrl: string;
  title: string | null;
  tags: string[];
}

/** What no search text holds: PostgreSQL refuses it, or it separates the fields. */
const unfit = /[\p{Cc}\p{Cs}]/u;

/** A text in the form in which texts are compared: upper and lower case of every script, and every way to write the same letter,
 *  are the same, whatever the locale of the database. */
export function foldText(text: string): string {
  return (
    text
      .normalize('NFKC')
      // By way of upper case "ß" becomes "ss", as people write it where they have no other letter.
      .toUpperCase()
      .toLowerCase()
      // The form at the end of a word, and the dot that an "İ" keeps.
      .replaceAll('ς', 'σ')
      .replaceAll('i\u0307', 'i')
      .normalize('NFKC')
  );
}

/** A URL, or a part of one, as people read it: percent-encoding and Punycode decoded, as far as that gives text. */
export const readableUrl = (url: string): string =>
  url
    .replaceAll(/(?:%[\da-f]{2})+/gi, decodeRun)
    // A label behind the scheme, the user, a dot or at the beginning.
    .replaceAll(/(?<![\p{L}\p{N}-])xn--[a-z\d-]+/giu, decodeLabel);

/** The escapes of one run, as far as they are UTF-8. */
function decodeRun(run: string): string {
  try {
    const text = decodeURIComponent(run);
    return unfit.test(text) ? run : text;
  } catch {
    return run;
  }
}

const decodeLabel = (label: string): string => domainToUnicode(label.toLowerCase()) || label;

/** The text in which a short URL is searched: its short code, its title, its tags, and its original URL as people read it and as it
 *  is stored; each on a line of its own, so that none is found across two. */
export function searchTextOf({ shortCode, originalUrl, title, tags }: SearchedFields): string {
  const readable = readableUrl(originalUrl);
  const spaced = readable.includes('+') ? [readable.replaceAll('+', ' ')] : [];
  const fields = new Set([shortCode, title ?? '', ...tags, readable, ...spaced, originalUrl].map(clean));
  return [...fields].filter(Boolean).map(foldText).join('\n');
}

/** Another program may have stored any characters. */
const clean = (text: string) => text.replaceAll(/[\p{Cc}\p{Cs}]+/gu, ' ');

/** The patterns of `like` of which a search text must match one, for what somebody searches: it may be a part of a URL in either
 *  spelling, or in both, as browsers copy it. */
export function searchPatternsOf(text: string): string[] {
  const spellings = new Set([text, readableUrl(text)].map(foldText));
  return [...spellings].map((spelling) => `%${escapePattern(spelling)}%`);
}

/** The text as a pattern that matches only itself. */
export const escapePattern = (text: string): string => text.replaceAll(/[\\%_]/g, String.raw`\$&`);
