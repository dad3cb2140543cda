import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createKeyPermutation } from '../../src/keys/key-permutation.ts';

const secret = Buffer.alloc(32, 7);
const numbersBelow = (size: number) => Array.from({ length: size }, (_, i) => i);

test.each([1, 2, 3])('all numbers below 62^%i have distinct codes of that length', (length) => {
  const permutation = createKeyPermutation(secret, length);
  expect(permutation.size).toBe(62 ** length);
  const codes = permutation.codesOf(numbersBelow(permutation.size));
  expect(new Set(codes).size).toBe(62 ** length);
  const shape = new RegExp(`^[0-9A-Za-z]{${length}}$`);
  expect(codes.filter((code) => !shape.test(code))).toEqual([]);
});

test('numbers have distinct codes at every supported length', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 4, max: 8 }),
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
      (length, bytes) => {
        const permutation = createKeyPermutation(Buffer.from(bytes), length);
        const ends = numbersBelow(500).flatMap((i) => [i, permutation.size - 1 - i]);
        const codes = permutation.codesOf(ends);
        expect(new Set(codes).size).toBe(ends.length);
        expect(codes.every((code) => /^[0-9A-Za-z]+$/.test(code) && code.length === length)).toBe(true);
      },
    ),
    { numRuns: 30 },
  );
});

test('the code of a number does not depend on the batch or the instance', () => {
  const all = createKeyPermutation(secret, 7).codesOf(numbersBelow(2_000));
  const again = createKeyPermutation(Buffer.from(secret), 7);
  expect(numbersBelow(2_000).flatMap((number) => again.codesOf([number]))).toEqual(all);
  expect(again.codesOf([])).toEqual([]);
});

test('another secret yields other codes', () => {
  const one = createKeyPermutation(secret, 7).codesOf(numbersBelow(1_000));
  const other = createKeyPermutation(Buffer.alloc(32, 8), 7).codesOf(numbersBelow(1_000));
  expect(other.filter((code, i) => code === one[i])).toEqual([]);
});

test('the digits of consecutive numbers are uniformly distributed at every position', () => {
  const count = 62 * 400;
  const codes = createKeyPermutation(secret, 7).codesOf(numbersBelow(count));
  for (let position = 0; position < 7; position++) {
    const counts = new Map<string, number>();
    for (const code of codes) counts.set(code[position]!, (counts.get(code[position]!) ?? 0) + 1);
    expect(counts.size).toBe(62);
    // Six standard deviations around 400.
    for (const seen of counts.values()) expect(Math.abs(seen - 400)).toBeLessThan(120);
  }
});
