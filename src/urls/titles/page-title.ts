import { textLimits, title as titleSchema } from '../input/texts.ts';
import type { Page } from './page-reader.ts';

/** Bytes in which a page declares its encoding (HTML Standard, 13.2.3.2). */
const declarationBytes = 1_024;

/** The title of a page, as titles of short URLs are: one line of at most 200 characters. Undefined for a page without one. */
export function titleOf(page: Page): string | undefined {
  const found = findTitle(decode(page));
  if (found === undefined) return undefined;
  const line = decodeReferences(found)
    .replaceAll(/[\p{Cc}\p{Cs}\p{Bidi_Control}\s]+/gu, ' ')
    .trim();
  const characters = Array.from(line);
  const isLong = characters.length > textLimits.title;
  const { data } = titleSchema.safeParse(
    isLong
      ? `${characters
          .slice(0, textLimits.title - 1)
          .join('')
          .trimEnd()}…`
      : line,
  );
  return data;
}

/** Decodes a page by its byte order mark, its header, or what it declares itself; UTF-8 otherwise. */
function decode({ bytes, contentType }: Page): string {
  const beginning = bytes.subarray(0, declarationBytes).toString('latin1');
  const declared = /<meta[^>]{0,500}?charset\s*=\s*["']?([\w.:-]+)/i.exec(beginning)?.[1];
  const named = /;\s*charset\s*=\s*["']?([\w.:-]+)/i.exec(contentType)?.[1];
  const marked = beginning.startsWith('\xfe\xff')
    ? 'utf-16be'
    : beginning.startsWith('\xff\xfe')
      ? 'utf-16le'
      : undefined;
  // A page that declares UTF-16 in ASCII is in another encoding.
  const usable = declared !== undefined && /^utf-?16/i.test(declared) ? undefined : declared;
  return decoderOf(marked ?? named ?? usable).decode(bytes);
}

function decoderOf(encoding = 'utf-8'): InstanceType<typeof TextDecoder> {
  try {
    return new TextDecoder(encoding);
  } catch {
    return new TextDecoder();
  }
}

/** What can contain the text `<title>` that is no title, what is one, and where the head ends. */
const landmarks =
  /<(?:(!--)|(script|style|noscript|template|svg)(?=[\s/>])|(title)(?=[\s/>])|(body)(?=[\s/>]))/gi;

/** The text of the first element `title` in the head, in linear time. */
function findTitle(html: string): string | undefined {
  landmarks.lastIndex = 0;
  for (let found = landmarks.exec(html); found !== null; found = landmarks.exec(html)) {
    const [, comment, other, title] = found;
    const begin = landmarks.lastIndex;
    if (title !== undefined) {
      const open = html.indexOf('>', begin);
      const end = indexOfEnd(html, 'title', open);
      return open === -1 ? undefined : html.slice(open + 1, end === -1 ? undefined : end);
    }
    if (comment === undefined && other === undefined) return undefined;
    const end = comment ? html.indexOf('-->', begin) : indexOfEnd(html, other!, begin);
    if (end === -1) return undefined;
    landmarks.lastIndex = end;
  }
  return undefined;
}

/** The index of the next end tag of an element; -1 without one. */
function indexOfEnd(html: string, name: string, from: number): number {
  const tag = new RegExp(`</${name}`, 'gi');
  tag.lastIndex = Math.max(from, 0);
  return tag.exec(html)?.index ?? -1;
}

/** The character references that titles use, beside letters with an accent. */
const references: Record<string, string> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  ndash: '–',
  mdash: '—',
  hellip: '…',
  lsquo: '‘',
  rsquo: '’',
  sbquo: '‚',
  ldquo: '“',
  rdquo: '”',
  bdquo: '„',
  laquo: '«',
  raquo: '»',
  bull: '•',
  middot: '·',
  copy: '©',
  reg: '®',
  trade: '™',
  euro: '€',
  szlig: 'ß',
  aelig: 'æ',
  AElig: 'Æ',
  oslash: 'ø',
  Oslash: 'Ø',
};

const accents: Record<string, string> = {
  grave: '\u0300',
  acute: '\u0301',
  circ: '\u0302',
  tilde: '\u0303',
  uml: '\u0308',
  ring: '\u030a',
  caron: '\u030c',
  cedil: '\u0327',
};

const reference =
  /&(?:#(\d{1,7})|#x([\da-f]{1,6})|([a-z])(grave|acute|circ|tilde|uml|ring|caron|cedil)|([a-z]{2,8}));/gi;

/** Decodes character references; unknown ones stay. */
const decodeReferences = (text: string): string =>
  text.replaceAll(reference, (whole, decimal, hex, letter, accent, name) => {
    if (decimal !== undefined || hex !== undefined)
      return fromCodePoint(decimal === undefined ? parseInt(hex, 16) : Number(decimal));
    if (letter !== undefined) return (letter + accents[accent.toLowerCase()]).normalize('NFC');
    return references[name] ?? whole;
  });

const fromCodePoint = (code: number) =>
  code > 0 && code <= 0x10_ffff ? String.fromCodePoint(code) : '\ufffd';
