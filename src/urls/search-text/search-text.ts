import { domainToUnicode } from 'node:url';
import { hasControlCharacters } from '../../validation/text.ts';

/** The searched fields of a short URL. */
export interface SearchedFields {
  shortCode: string;
  originalUrl: string;
  title: string | null;
  tags: string[];
}

/** Whether a text is printable ASCII, as most are: neither normalisation nor cleaning changes it. */
const isPlain = (text: string) => /^[ -~]*$/.test(text);

/** Folds a text for comparison: case-insensitive in every script, and independent of the spelling of a letter and of
 *  the database's locale. */
export function foldText(text: string): string {
  if (isPlain(text)) return text.toLowerCase();
  return (
    text
      .normalize('NFKC')
      // Upper case first, which turns "ß" into "ss", its spelling on other keyboards.
      .toUpperCase()
      .toLowerCase()
      // The final sigma, and the combining dot of a lower-case "İ".
      .replaceAll('ς', 'σ')
      .replaceAll('i\u0307', 'i')
      .normalize('NFKC')
  );
}

/** Decodes percent-encoding and Punycode in a URL or a part of one, where the result is text. */
export function readableUrl(url: string): string {
  if (!/%|xn--/i.test(url)) return url;
  return (
    url
      .replaceAll(/(?:%[\da-f]{2})+/gi, decodeRun)
      // A Punycode label at the beginning, or after the scheme, the user or a dot.
      .replaceAll(/(?<![\p{L}\p{N}-])xn--[a-z\d-]+/giu, decodeLabel)
  );
}

/** Decodes a run of escapes if it is valid UTF-8. */
function decodeRun(run: string): string {
  try {
    const text = decodeURIComponent(run);
    return hasControlCharacters(text) ? run : text;
  } catch {
    return run;
  }
}

const decodeLabel = (label: string): string => domainToUnicode(label.toLowerCase()) || label;

/** The search text of a short URL: its short code, title and tags, and its original URL decoded and as stored. Each is
 *  on its own line, so that no match spans two. */
export function searchTextOf({ shortCode, originalUrl, title, tags }: SearchedFields): string {
  const readable = readableUrl(originalUrl);
  const spaced = readable.includes('+') ? [readable.replaceAll('+', ' ')] : [];
  const fields = new Set([shortCode, title ?? '', ...tags, readable, ...spaced, originalUrl].map(clean));
  return [...fields].filter(Boolean).map(foldText).join('\n');
}

/** External writes may contain any characters. */
const clean = (text: string) => (isPlain(text) ? text : text.replaceAll(/[\p{Cc}\p{Cs}]+/gu, ' '));

/** The `like` patterns for a search, one of which must match. The text may be part of a URL that is encoded, decoded
 *  or, as browsers copy it, both. */
export function searchPatternsOf(text: string): string[] {
  const spellings = new Set([text, readableUrl(text)].map(foldText));
  return [...spellings].map((spelling) => `%${escapePattern(spelling)}%`);
}

/** Escapes a text so that a `like` pattern matches it literally. */
export const escapePattern = (text: string): string => text.replaceAll(/[\\%_]/g, String.raw`\$&`);
