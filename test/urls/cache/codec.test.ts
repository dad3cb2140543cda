import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeEntry, encodeEntry } from '../../../src/urls/cache/codec.ts';
import type { CachedUrl, CacheEntry, RedirectRules } from '../../../src/urls/cache/entry.ts';

const ms = fc.option(fc.maxSafeNat());
const rules: fc.Arbitrary<RedirectRules> = fc.record({
  startsAtMs: ms,
  fallbackUrl: fc.option(fc.webUrl({ withQueryParameters: true })),
  redirectStatus: fc.option(fc.constantFrom(301, 302, 307, 308)),
  redirectMaxAgeSeconds: fc.option(fc.nat()),
  forwardQuery: fc.boolean(),
  isOneTime: fc.boolean(),
  isProtected: fc.boolean(),
  maxClicks: fc.option(fc.nat()),
});
const url: fc.Arbitrary<CachedUrl> = fc.record(
  {
    id: fc.maxSafeNat(),
    originalUrl: fc.oneof(
      fc.webUrl({ withQueryParameters: true, withFragments: true }),
      fc.constant('"],[2,:'),
    ),
    expiresAtMs: ms,
    rules,
  },
  { requiredKeys: ['id', 'originalUrl', 'expiresAtMs'] },
);
const entry: fc.Arbitrary<CacheEntry> = fc.oneof(
  fc.record({ url, version: fc.maxSafeNat() }),
  fc.record({ negative: fc.constantFrom('expired', 'not_found'), version: fc.maxSafeNat() }),
);

test('every entry survives encoding and decoding', () => {
  fc.assert(
    fc.property(entry, (entry) => {
      expect(decodeEntry(`${entry.version}:${encodeEntry(entry)}`)).toEqual(entry);
    }),
  );
});

test('an entry without rules keeps its original format', () => {
  expect(decodeEntry('7:12,1900000000000,https://example.com/a,b')).toEqual({
    url: { id: 12, originalUrl: 'https://example.com/a,b', expiresAtMs: 1_900_000_000_000 },
    version: 7,
  });
});

test('an entry with rules is invalid in the format without rules', () => {
  const formatWithoutRules = /^(\d+),(\d*),(.+)$/;
  fc.assert(
    fc.property(url, (url) => {
      expect(formatWithoutRules.test(encodeEntry({ url }))).toBe(url.rules === undefined);
    }),
  );
});

test('an entry that is damaged or of a later release is ignored', () => {
  const plain = { id: 1, originalUrl: 'https://example.com/', expiresAtMs: null };
  const encoded = encodeEntry({
    url: {
      ...plain,
      rules: {
        startsAtMs: null,
        fallbackUrl: null,
        redirectStatus: 302,
        redirectMaxAgeSeconds: null,
        forwardQuery: false,
        isOneTime: false,
        isProtected: false,
        maxClicks: null,
      },
    },
  });
  for (const body of [
    encoded.replace('2[', '3['),
    encoded.replace(']', ',1]'),
    encoded.slice(0, -1),
    // An unreadable limit must not be read as "no limit".
    ...encoded
      .split(',')
      .flatMap((value, i, values) => [
        values.with(i, value.startsWith('2[') ? '2[{}' : value.endsWith(']') ? '{}]' : '{}').join(','),
        values.with(i, value.startsWith('2[') ? '2["soon"' : value.endsWith(']') ? '"1"]' : '[]').join(','),
      ]),
    '12,soon,https://example.com/',
    '12,99999999999999999999,https://example.com/',
    '12,NaN,https://example.com/',
    '2[]',
    '2[null]',
    '2{}',
    '',
  ])
    expect(decodeEntry(`7:${body}`), body).toBeUndefined();
});
