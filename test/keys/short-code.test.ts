import { expect, test } from 'vitest';
import { ignoreCodeCase, isShortCode, readShortCode, toShortCode } from '../../src/keys/short-code.ts';
import { customCodeViolation } from '../../src/urls/input/custom-code.ts';

test.each([
  'a',
  'aB3xY9z',
  '-_-',
  'a.b',
  '2024.01.31',
  'straße',
  '日本',
  'हिन्दी',
  'x'.repeat(64),
  '𝒜'.repeat(64),
])('"%s" is a valid short code', (code) => expect(isShortCode(code.normalize('NFC'))).toBe(true));

test.each([
  '',
  '.',
  '..',
  '.a',
  'a.',
  'a..b',
  'a b',
  'a/b',
  'a+',
  'a%41',
  'x'.repeat(65),
  'admin',
  'Robots.txt',
  'favicon.ico',
  'a\u0308',
  '\u0308a',
  'a\u200bb',
  '\u3164',
  'a\n',
  'a\u{d800}',
])('%j is not a valid short code', (code) => expect(isShortCode(code)).toBe(false));

test.each([
  ['enc_o-ded', 'enc_o-ded'],
  ['enc%5Fo-ded', 'enc_o-ded'],
  ['enc%5fo%2Dded', 'enc_o-ded'],
  ['%61%62%63', 'abc'],
  ['a%2Eb', 'a.b'],
  ['stra%C3%9Fe', 'straße'],
  ['%C3%BC', 'ü'],
  ['u%CC%88', 'ü'],
  ['abc.', 'abc'],
  ['abc).', 'abc'],
  ['abc%5D', 'abc'],
  ['abc%22', 'abc'],
  ['abc%E2%80%9D,', 'abc'],
  ['abc,', 'abc'],
  ['abc%E3%80%82', 'abc'],
  ['abc%20', 'abc'],
  ['abc%E2%80%8B', 'abc'],
  ['%E2%80%8Babc%EF%BB%BF', 'abc'],
  ['a%E2%80%8Bbc', 'abc'],
  ['abc%0A', 'abc'],
])('the path "%s" is read as the short code "%s"', (path, code) => expect(readShortCode(path)).toBe(code));

test.each([
  '%',
  '%zz',
  '%ff',
  'a%2Fb',
  'a/b',
  'a%00',
  'a%2541',
  '(abc',
  'abc+',
  '%2e%2e',
  'admin.',
  'docs%2F',
  '.'.repeat(9),
  '',
])('the path "%s" contains no short code', (path) => expect(readShortCode(path)).toBeUndefined());

test('a text is parsed in linear time', () => {
  for (const text of ['.'.repeat(1e6), 'a.'.repeat(5e5), '%2E'.repeat(3e5), `${' '.repeat(1e6)}a`]) {
    expect(readShortCode(text)).toBeUndefined();
    expect(toShortCode(text)).toBeUndefined();
  }
});

test.each([
  ['ab.c', 'dots', undefined],
  ['abc', 'dots', 'must be 4 to 64 letters, digits, "-" or "_", with single dots between'],
  ['bücher', 'dots', 'must be 4 to 64 letters, digits, "-" or "_", with single dots between'],
  ['bücher', 'unicode', undefined],
  ['日本語版', 'unicode', undefined],
  ['pаypal', 'unicode', 'must not mix Latin, Greek and Cyrillic letters'],
  ['ａｂｃｄ', 'unicode', 'must not contain compatibility characters'],
  ['robots.txt', 'unicode', 'is a reserved word'],
] as const)('the custom code "%s" with %s characters is validated: %s', (code, characters, reason) => {
  expect(customCodeViolation(code, { minLength: 4, maxLength: 64, characters })).toBe(reason);
});

test.each([
  ['aBc', 'abc'],
  ['A%C3%9F', 'aß'],
  ['%E1%BA%9E-X', 'ß-x'],
  ['U%CC%88BER', 'über'],
  ['%C4%B0', 'i̇'],
  ['%E2%84%AA', 'k'],
  ['%C4%B0'.repeat(64), undefined],
  ['ADMIN', undefined],
])('the path "%s" is read as "%s" when the case of codes is ignored', (path, code) => {
  ignoreCodeCase(true);
  try {
    expect(readShortCode(path)).toBe(code);
  } finally {
    ignoreCodeCase(false);
  }
});
