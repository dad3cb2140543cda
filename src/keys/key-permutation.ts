import { createCipheriv, createHash } from 'node:crypto';

const mixedCase = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
export const lowerCase = '0123456789abcdefghijklmnopqrstuvwxyz';
const rounds = 6;
const blockBytes = 16;

/** A keyed permutation of [0, base^length), written with the digits of that base, 62 by default. Distinct numbers give
 *  distinct codes, and without the secret codes reveal nothing about their numbers.
 *
 *  A Feistel network over an even number of bits whose round function is AES. Results outside the range are permuted
 *  again (cycle walking, Black and Rogaway 2002). Six rounds suffice to make codes unpredictable; the codes are not
 *  secrets. Works on arrays because one AES call for 10,000 numbers costs little more than one for a single
 *  number. */
export function createKeyPermutation(secret: Buffer, length: number, digits = mixedCase) {
  const base = digits.length;
  const size = base ** length;
  const halfBits = Math.ceil(Math.log2(size) / 2);
  const half = 2 ** halfBits;
  // AES-256 needs a key of 32 bytes; the secret may have another length.
  const key = createHash('sha256').update(secret).digest();

  /** The round function for all numbers at once: AES of (round, right half), reduced to the width of a half. */
  function roundValues(round: number, rights: number[]): number[] {
    const plain = Buffer.alloc(rights.length * blockBytes);
    for (const [i, right] of rights.entries()) {
      plain.writeUInt32BE(round, i * blockBytes);
      plain.writeUInt32BE(right, i * blockBytes + 4);
    }
    const cipher = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false);
    const encrypted = cipher.update(plain);
    return rights.map((_, i) => encrypted.readUInt32BE(i * blockBytes) % half);
  }

  function permute(numbers: number[]): number[] {
    let lefts = numbers.map((number) => Math.floor(number / half));
    let rights = numbers.map((number) => number % half);
    for (let round = 0; round < rounds; round++) {
      const values = roundValues(round, rights);
      const nextRights = lefts.map((left, i) => (left ^ values[i]!) >>> 0);
      lefts = rights;
      rights = nextRights;
    }
    return lefts.map((left, i) => left * half + rights[i]!);
  }

  function toCode(number: number): string {
    let code = '';
    for (let rest = number, i = 0; i < length; i++) {
      code = digits[rest % base] + code;
      rest = Math.floor(rest / base);
    }
    return code;
  }

  return {
    /** The number of codes. */
    size,

    /** Returns the codes of numbers in [0, size), in the same order. */
    codesOf(numbers: number[]): string[] {
      const results = permute(numbers);
      for (;;) {
        const outside = results.flatMap((number, i) => (number >= size ? [i] : []));
        if (outside.length === 0) return results.map(toCode);
        const again = permute(outside.map((i) => results[i]!));
        for (const [j, i] of outside.entries()) results[i] = again[j]!;
      }
    },
  };
}
