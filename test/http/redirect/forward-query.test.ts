import fc from 'fast-check';
import { expect, test } from 'vitest';
import { forwardQuery, queryOf } from '../../../src/http/redirect/forward-query.ts';

test.each([
  ['https://x.test/p', 'b=2', 'https://x.test/p?b=2'],
  ['https://x.test/p?a=1', 'b=2', 'https://x.test/p?a=1&b=2'],
  ['https://x.test/p?', 'b=2', 'https://x.test/p?b=2'],
  ['https://x.test/p?a=1&', 'b=2', 'https://x.test/p?a=1&b=2'],
  ['https://x.test/p#f?g', 'b=2', 'https://x.test/p?b=2#f?g'],
  ['https://x.test/p?a=1#f', 'b=2&c=%20', 'https://x.test/p?a=1&b=2&c=%20#f'],
  ['https://x.test/p?a=1#f', '', 'https://x.test/p?a=1#f'],
  ['https://x.test/p', 'a=\u{e9}"<>', 'https://x.test/p?a=%E9%22%3C%3E'],
  ['https://x.test/p', 'a\r\nX: y', 'https://x.test/p?a%0D%0AX:%20y'],
  ['https://x.test/p', 'a'.repeat(2_048), `https://x.test/p?${'a'.repeat(2_048)}`],
  ['https://x.test/p', 'a'.repeat(2_049), 'https://x.test/p'],
  ['https://x.test/p', '\u{ff}'.repeat(683), 'https://x.test/p'],
])('%s and the query %j make %s', (url, query, expected) => {
  expect(forwardQuery(url, query)).toBe(expected);
});

test.each([
  ['/code', ''],
  ['/code?', ''],
  ['/code?a=1?b', 'a=1?b'],
  ['/code?a=1#f?b', 'a=1'],
  ['/code#f?a=1', ''],
  ['http://x.test/code?a=1', 'a=1'],
])('the query of the target %s is %j', (target, query) => {
  expect(queryOf(target)).toBe(query);
});

const parameters = fc.array(fc.tuple(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' })), {
  maxLength: 4,
});
const fragment = fc.constantFrom('', '#', '#part', '#a?b&c=d');

test('a forwarded query follows the stored one, and the rest of the URL is unchanged', () => {
  fc.assert(
    fc.property(parameters, parameters, fragment, (stored, given, fragment) => {
      const own = new URLSearchParams(stored).toString();
      const url = `https://x.test/p${own === '' ? '' : `?${own}`}${fragment}`;
      const made = forwardQuery(url, new URLSearchParams(given).toString());
      expect([...new URL(made).searchParams]).toEqual([
        ...new URL(url).searchParams,
        ...new URLSearchParams(new URLSearchParams(given).toString()),
      ]);
      expect(new URL(made).hash).toBe(new URL(url).hash);
      expect(made.startsWith('https://x.test/p')).toBe(true);
    }),
  );
});

test('any query leaves origin and path unchanged, and gives a valid header', () => {
  const bytes = fc.string({ unit: fc.integer({ min: 0, max: 0xff }).map((n) => String.fromCharCode(n)) });
  fc.assert(
    fc.property(bytes, fragment, (query, fragment) => {
      const made = forwardQuery(`https://x.test/p?a=1${fragment}`, query);
      expect(made).toMatch(/^[!-~]+$/);
      const { origin, pathname, hash } = new URL(made);
      expect(origin).toBe('https://x.test');
      expect(pathname).toBe('/p');
      expect(hash).toEqual(new URL(`https://y.test${fragment}`).hash);
    }),
  );
});
