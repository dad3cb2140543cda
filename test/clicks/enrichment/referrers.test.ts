import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createReferrers } from '../../../src/clicks/enrichment/referrers.ts';
import { isShortText } from '../../../src/clicks/short-text.ts';

const { findHost } = createReferrers(['sho.rt', 'xn--bcher-kva.example']);

test.each([
  ['https://example.com/', 'example.com'],
  ['https://example.com', 'example.com'],
  ['https://Example.COM:8443/a/page?with=query#and', 'example.com'],
  ['https://example.com?query', 'example.com'],
  ['http://user:password@example.com/', 'example.com'],
  ['https://example.com./', 'example.com'],
  ['https://bücher.example.com/', 'xn--bcher-kva.example.com'],
  ['android-app://com.google.android.gm/', 'com.google.android.gm'],
  ['android-app://com.Slack', 'com.slack'],
  ['ios-app://544007664/youtube/watch?v=x', 'ios-app://544007664'],
  ['IOS-APP://544007664', 'ios-app://544007664'],
  ['ios-app://com.google.GoogleMobile/', 'com.google.googlemobile'],
  ['https://544007664.example/', '544007664.example'],
  ['http://[2001:db8::1]/', '[2001:db8::1]'],
  [`https://example.com/${'a'.repeat(10_000)}`, 'example.com'],
])('the referrer of %s is its host in lower case', (header, host) => {
  for (let times = 0; times < 2; times++) expect(findHost(header)).toBe(host);
});

test.each([
  '',
  'example.com',
  '/a/path',
  'about:blank',
  'data:text/html,<script>alert(1)</script>',
  'javascript:alert(1)',
  'https://',
  'https://<script>alert(1)</script>/',
  'https://a b/',
  '//',
])('"%s" has no host and is no referrer', (header) => {
  expect(findHost(header)).toBe('');
});

test('a visit from this service has no referrer', () => {
  for (const header of [
    'https://sho.rt/abc',
    'http://SHO.RT:8080/',
    'https://sho.rt./',
    'https://bücher.example/',
  ])
    expect(findHost(header)).toBe('');
});

test('a very long host is truncated', () => {
  const host = `${'a'.repeat(60)}.${'b'.repeat(60)}.example`;
  expect(findHost(`https://${host}/`)).toBe(host.slice(0, 100));
});

test('for any header, the stored host is short and has no control characters', () => {
  const part = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('https://', 'x://', '\t', '\n', '%0a'),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 5 }), (parts) => {
      expect(isShortText(findHost(parts.join('')))).toBe(true);
    }),
    { numRuns: 300 },
  );
});
