import { isUtf8 } from 'node:buffer';
import { UploadRejected } from '../transfer.ts';

/** What is looked at to find out a character set, in bytes. */
const sampleBytes = 64 * 1024;

/** Bytes 80 to 9F of Windows-1252; Node's own decoder takes them for control characters in some versions. */
const windows1252 =
  '\u20AC\x81\u201A\u0192\u201E\u2026\u2020\u2021\u02C6\u2030\u0160\u2039\u0152\x8D\u017D\x8F' +
  '\x90\u2018\u2019\u201C\u201D\u2022\u2013\u2014\u02DC\u2122\u0161\u203A\u0153\x9D\u017E\u0178';

interface Decoder {
  write: (part: Buffer) => Buffer;
  end: () => Buffer;
}

const asItIs: Decoder = { write: (part) => part, end: () => Buffer.alloc(0) };

function createDecoder(charset: string): Decoder {
  if (charset === 'utf-8') return asItIs;
  if (charset === 'windows-1252') return { ...asItIs, write: decodeWindows1252 };
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

/** The name of a character set as the Encoding Standard has it. Throws UploadRejected for what is none. */
export function charsetOf(label: string): string {
  try {
    return new TextDecoder(label).encoding;
  } catch {
    throw new UploadRejected(`The character set ${JSON.stringify(label.slice(0, 40))} is not known.`);
  }
}

/** A file in UTF-8, and the character set that it came in, once it is read. */
export interface DecodedFile {
  content: AsyncIterable<Buffer>;
  charset: () => string;
}

/** A file in UTF-8 without a byte order mark, whatever it comes in: as a byte order mark or its sender says, else as its bytes
 *  look. A file of UTF-8 passes byte for byte. Throws UploadRejected, in the middle of it too, for other character sets. */
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
      charset ??= judge(sample);
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

/** UTF-16 without a byte order mark: each second byte of the names of columns is zero. */
function findUtf16(head: Buffer): string | undefined {
  const begin = head.subarray(0, 512);
  const half = begin.length / 2;
  const zeros = [0, 1].map((place) => begin.filter((byte, at) => byte === 0 && at % 2 === place).length);
  if (half < 4) return undefined;
  if (zeros[1]! > 0.7 * half && zeros[0]! < 0.1 * half) return 'utf-16le';
  if (zeros[0]! > 0.7 * half && zeros[1]! < 0.1 * half) return 'utf-16be';
  return undefined;
}

const isAscii = (bytes: Buffer) => !bytes.some((byte) => byte > 0x7f);

/** What text in Windows-1252 never has: bytes without a meaning. */
const undefinedBytes = /[\x81\x8d\x8f\x90\x9d]/;

/** Marks that hardly anybody writes, and marks inside words: in other character sets these are letters. */
const oddMarks = /[\x83\x86-\x89\x8b\x98\x9b]|(?<=[A-Za-z])[\xa1-\xb3\xb5\xb6\xb8-\xbf](?=[A-Za-z])/g;

const lengthOf = (found: RegExpMatchArray | null) =>
  (found ?? []).reduce((sum, { length }) => sum + length, 0);

/** The character set of bytes that are not ASCII alone. Damaged UTF-8 stays UTF-8: each of its rows that cannot be read is an error. */
function judge(sample: Buffer): string {
  const bytes = sample.toString('latin1');
  const whole = bytes.match(
    /[\xc3-\xdf][\x80-\xbf]|\xc2[\xa0-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}/g,
  );
  const high = lengthOf(bytes.match(/[\x80-\xff]+/g));
  if (isUtf8(sample) || lengthOf(whole) > high / 4) return 'utf-8';
  // Western words have single letters beyond ASCII; those of other scripts consist of them.
  const isOfLongRuns = high >= 8 && lengthOf(bytes.match(/[\x80-\xff]{3,}/g)) > high / 2;
  if (undefinedBytes.test(bytes) || isOfLongRuns || lengthOf(bytes.match(oddMarks)) > high / 5)
    throw new UploadRejected(
      'The file is neither in UTF-8, UTF-16 nor Windows-1252. Save it in UTF-8, or name its character set with ?charset=.',
    );
  return 'windows-1252';
}
