import { isAscii, isUtf8 } from 'node:buffer';
import { UploadRejected } from '../transfer.ts';

/** Bytes that are examined to detect a character set. */
const sampleBytes = 64 * 1024;

/** Bytes 80 to 9F of Windows-1252; the decoder of some versions of Node.js reads them as control characters. */
const windows1252 =
  '\u20AC\x81\u201A\u0192\u201E\u2026\u2020\u2021\u02C6\u2030\u0160\u2039\u0152\x8D\u017D\x8F' +
  '\x90\u2018\u2019\u201C\u201D\u2022\u2013\u2014\u02DC\u2122\u0161\u203A\u0153\x9D\u017E\u0178';

interface Decoder {
  write: (part: Buffer) => Buffer;
  end: () => Buffer;
}

const identity: Decoder = { write: (part) => part, end: () => Buffer.alloc(0) };

function createDecoder(charset: string): Decoder {
  if (charset === 'utf-8') return identity;
  if (charset === 'windows-1252') return { ...identity, write: decodeWindows1252 };
  const decoder = new TextDecoder(charset);
  return {
    write: (part) => Buffer.from(decoder.decode(part, { stream: true })),
    end: () => Buffer.from(decoder.decode()),
  };
}

const decodeWindows1252 = (part: Buffer) =>
  Buffer.from(
    part.toString('latin1').replaceAll(/[\x80-\x9f]/g, (byte) => windows1252[byte.charCodeAt(0) - 0x80]!),
  );

/** The name of a character set in the Encoding Standard. Throws UploadRejected for an unknown label. */
export function charsetOf(label: string): string {
  try {
    return new TextDecoder(label).encoding;
  } catch {
    throw new UploadRejected(`Unknown character set ${JSON.stringify(label.slice(0, 40))}.`);
  }
}

/** A file converted to UTF-8, and its original character set, once it is read. */
export interface DecodedFile {
  content: AsyncIterable<Buffer>;
  charset: () => string;
}

/** Converts a file to UTF-8 without a byte order mark. The character set is that of the byte order mark, else that of the sender, else detected
 *  from the bytes. UTF-8 is passed through unchanged. Throws UploadRejected, also during reading, for an unsupported character set. */
export function decodeFile(
  source: AsyncIterable<Buffer>,
  head: Buffer,
  label: string | undefined,
): DecodedFile {
  const mark = findMark(head);
  let charset = mark?.charset ?? (label === undefined ? findUtf16(head) : charsetOf(label));
  async function* decode() {
    let skipped = mark?.bytes ?? 0;
    let decoder = charset === undefined ? undefined : createDecoder(charset);
    let held: Buffer[] = [];
    const decide = (isLast: boolean): Buffer[] => {
      const sample = Buffer.concat(held);
      if (!decoder && isAscii(sample)) return ((held = []), [sample]);
      if (!decoder && sample.length < sampleBytes && !isLast) return [];
      charset ??= detectCharset(sample);
      decoder ??= createDecoder(charset);
      held = [];
      return [decoder.write(sample)];
    };
    for await (const given of source) {
      const part = given.subarray(skipped);
      skipped -= given.length - part.length;
      held.push(part);
      yield* decide(false);
    }
    yield* decide(true);
    if (decoder) yield decoder.end();
  }
  async function* withoutEmpty() {
    for await (const part of decode()) if (part.length > 0) yield part;
  }
  return { content: withoutEmpty(), charset: () => charset ?? 'utf-8' };
}

function findMark(head: Buffer): { charset: string; bytes: number } | undefined {
  const begin = head.toString('hex', 0, 4);
  if (begin === 'fffe0000' || begin === '0000feff')
    throw new UploadRejected('The file is in UTF-32. Save it in UTF-8.');
  if (begin.startsWith('efbbbf')) return { charset: 'utf-8', bytes: 3 };
  if (begin.startsWith('fffe')) return { charset: 'utf-16le', bytes: 2 };
  if (begin.startsWith('feff')) return { charset: 'utf-16be', bytes: 2 };
  return undefined;
}

/** Detects UTF-16 without a byte order mark: every second byte of the column names is zero. */
function findUtf16(head: Buffer): string | undefined {
  const begin = head.subarray(0, 512);
  const half = begin.length / 2;
  const zeros = [0, 1].map((parity) => begin.filter((byte, at) => byte === 0 && at % 2 === parity).length);
  if (half < 4) return undefined;
  if (zeros[1]! > 0.7 * half && zeros[0]! < 0.1 * half) return 'utf-16le';
  if (zeros[0]! > 0.7 * half && zeros[1]! < 0.1 * half) return 'utf-16be';
  return undefined;
}

/** Bytes that are undefined in Windows-1252. */
const undefinedBytes = /[\x81\x8d\x8f\x90\x9d]/;

/** Rare symbols, and symbols inside words: in other character sets these bytes are letters. */
const oddMarks = /[\x83\x86-\x89\x8b\x98\x9b]|(?<=[A-Za-z])[\xa1-\xb3\xb5\xb6\xb8-\xbf](?=[A-Za-z])/g;

const lengthOf = (found: RegExpMatchArray | null) =>
  (found ?? []).reduce((sum, { length }) => sum + length, 0);

/** Detects the character set of bytes that are not only ASCII. Damaged UTF-8 counts as UTF-8; its unreadable rows are errors. */
function detectCharset(sample: Buffer): string {
  const bytes = sample.toString('latin1');
  const whole = bytes.match(
    /[\xc3-\xdf][\x80-\xbf]|\xc2[\xa0-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}/g,
  );
  const high = lengthOf(bytes.match(/[\x80-\xff]+/g));
  if (isUtf8(sample) || lengthOf(whole) > high / 4) return 'utf-8';
  // Words in Latin script have single letters beyond ASCII; words in other scripts consist of them.
  const isOfLongRuns = high >= 8 && lengthOf(bytes.match(/[\x80-\xff]{3,}/g)) > high / 2;
  if (undefinedBytes.test(bytes) || isOfLongRuns || lengthOf(bytes.match(oddMarks)) > high / 5)
    throw new UploadRejected(
      'The file is not in UTF-8, UTF-16 or Windows-1252. Save it in UTF-8, or set its character set with ?charset=.',
    );
  return 'windows-1252';
}
