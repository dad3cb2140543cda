import fc from 'fast-check';
import { expect, test } from 'vitest';
import { URL as StandardUrl } from 'whatwg-url';
import { parseUrl } from '../../src/validation/parse-url.ts';
import { hosts, rests } from '../support/urls/url-cases.ts';

test('a URL with non-ASCII letters is parsed every time', () => {
  // URL.canParse rejects it on Node.js 20 from about the 6,000th call on.
  for (let i = 0; i < 50_000; i += 1) parseUrl(`https://example.com/${i}`);
  expect(parseUrl('https://bücher.example/ä')?.href).toBe('https://xn--bcher-kva.example/%C3%A4');
});

test('a relative URL needs a base, and an invalid URL is undefined', () => {
  expect(parseUrl('/path')).toBeUndefined();
  expect(parseUrl('/path', 'https://example.com')?.href).toBe('https://example.com/path');
  expect(parseUrl('https://[::1')).toBeUndefined();
});

test('hosts follow the URL Standard on every release of Node.js', () => {
  expect(hosts.map(([written]) => [written, parseUrl(`https://${written}/`)?.host])).toEqual(hosts);
});

test('path, query and fragment are encoded as in the URL Standard', () => {
  const read = rests.map(([written]) => [
    written,
    parseUrl(`https://ex.com${written}`)?.href.slice('https://ex.com'.length),
  ]);
  expect(read).toEqual(rests);
});

test('user info and other schemes follow the URL Standard', () => {
  const read = (text: string) => parseUrl(text)?.href;
  expect(read('  https:example.com  ')).toBe('https://example.com/');
  expect(read('HTTP:\\\\example.com:80')).toBe('http://example.com/');
  expect(read('https://user:p%61ss@example.com/')).toBe('https://user:p%61ss@example.com/');
  expect(read('mailto:a b@example.com')).toBe('mailto:a b@example.com');
  // Node 20 keeps the space before the fragment.
  expect(read('mailto:a  #b')).toBe('mailto:a %20#b');
  expect(read('web+demo://EX.com/ü')).toBe('web+demo://EX.com/%C3%BC');
  expect(read('https://example.com:65536/')).toBeUndefined();
  expect(read('https://')).toBeUndefined();
  expect(read('https:///')).toBeUndefined();
});

test('the parser of the platform agrees with the standard on plain URLs', () => {
  const plain = fc.stringMatching(
    /^https?:\/\/([a-zA-Z\d_-]{1,9}\.){0,3}[a-zA-Z][a-zA-Z\d-]{0,9}(:\d{1,4})?([/?#][\w\-.~!$&()*+,;=:@%/?#]{0,30})?$/,
  );
  fc.assert(
    fc.property(plain, (text) => {
      expect(parseUrl(text)?.href).toBe(new StandardUrl(text).href);
    }),
    { numRuns: 3_000 },
  );
});
