/** Bytes that are not what a reader expects. */
export class UnreadableBytes extends Error {
  override readonly name = 'UnreadableBytes';
}

/** A varint: 7 bits per byte, the lowest first; the high bit says that another byte follows. */
const base = 128;
/** What a safe integer takes at most. */
const maxVarintBytes = 8;

export type ByteWriter = ReturnType<typeof createByteWriter>;

/** Writes numbers and texts into a buffer that grows, and is used again after `clear`. */
export function createByteWriter() {
  let bytes = Buffer.allocUnsafeSlow(4_096);
  let end = 0;

  function reserve(length: number): void {
    if (end + length <= bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * (bytes.length + length));
    bytes.copy(larger, 0, 0, end);
    bytes = larger;
  }

  /** Writes an integer from 0 to 2 ** 53 - 1. */
  function number(value: number): void {
    reserve(maxVarintBytes);
    let rest = value;
    while (rest >= base) {
      bytes[end++] = base + (rest % base);
      rest = Math.floor(rest / base);
    }
    bytes[end++] = rest;
  }

  return {
    number,

    /** Writes hexadecimal digits, two to a byte. */
    hex(digits: string): void {
      reserve(digits.length / 2);
      end += bytes.write(digits, end, 'hex');
    },

    /** Writes the length of a text in bytes, and the text in UTF-8. */
    text(text: string): void {
      const length = Buffer.byteLength(text);
      number(length);
      reserve(length);
      end += bytes.write(text, end);
    },

    /** Returns a copy of what was written. */
    take(): Buffer {
      const taken = Buffer.allocUnsafeSlow(end);
      bytes.copy(taken, 0, 0, end);
      return taken;
    },

    clear(): void {
      end = 0;
    },
  };
}

export type ByteReader = ReturnType<typeof createByteReader>;

/** Reads what a writer wrote. Each method throws UnreadableBytes where the bytes end too early or are not what it reads. */
export function createByteReader(bytes: Buffer) {
  let at = 0;

  function skip(length: number): number {
    const start = at;
    at += length;
    if (at > bytes.length) throw new UnreadableBytes();
    return start;
  }

  function number(): number {
    // Most numbers are small.
    const first = bytes[at]!;
    if (first < base) {
      at += 1;
      return first;
    }
    let value = 0;
    let factor = 1;
    for (let i = 0; i < maxVarintBytes; i++) {
      const byte = bytes[skip(1)]!;
      if (byte < base) {
        value += byte * factor;
        if (Number.isSafeInteger(value)) return value;
        break;
      }
      value += (byte - base) * factor;
      factor *= base;
    }
    throw new UnreadableBytes();
  }

  return {
    number,

    hex: (length: number) => bytes.toString('hex', skip(length), at),
    text(): string {
      const length = number();
      return bytes.toString('utf8', skip(length), at);
    },

    get isAtEnd() {
      return at === bytes.length;
    },
  };
}
