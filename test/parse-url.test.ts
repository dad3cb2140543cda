import fc from 'fast-check';
import { expect, test } from 'vitest';
import { URL as StandardUrl } from 'whatwg-url';
import { parseUrl } from '../src/parse-url.ts';

test('a URL with letters beyond ASCII is one however many were parsed before', () => {
  // URL.canParse says no to it on Node 20 from about the 6,000th call on.
  for (let i = 0; i < 50_000; i += 1) parseUrl(`https://example.com/${i}`);
  expect(parseUrl('https://bücher.example/ä')?.href).toBe('https://xn--bcher-kva.example/%C3%A4');
});

test('a relative URL needs a base, and what is no URL is undefined', () => {
  expect(parseUrl('/path')).toBeUndefined();
  expect(parseUrl('/path', 'https://example.com')?.href).toBe('https://example.com/path');
  expect(parseUrl('https://[::1')).toBeUndefined();
});

/** Hosts as they are written, and as the URL Standard has them; undefined for what is no host. The parser of Node 20 has another
 *  opinion of those that are marked. */
const hosts: [written: string, host: string | undefined][] = [
  ['EXAMPLE.Com', 'example.com'],
  ['straße.de', 'xn--strae-oqa.de'],
  // Node 20: ss.com
  ['ẞ.com', 'xn--zca.com'],
  ['ẞ.foo.com', 'xn--zca.foo.com'],
  ['βόλος.com', 'xn--nxasmm1c.com'],
  ['☕.example', 'xn--53h.example'],
  ['👩‍💻.example', undefined],
  ['💩.la', 'xn--ls8h.la'],
  ['日本語。ＪＰ', 'xn--wgv71a119e.jp'],
  ['ex\u00adample.com', 'example.com'],
  ['ex%61mple.com', 'example.com'],
  ['b%C3%BCcher.de', 'xn--bcher-kva.de'],
  ['a..b', 'a..b'],
  ['-a-.b_c', '-a-.b_c'],
  // Node 20: refused, as hosts in Punycode that name no character.
  ['xn--a', 'xn--a'],
  ['xn--0.com', 'xn--0.com'],
  ['xn--a-yoc', 'xn--a-yoc'],
  ['xn--1ug.example', 'xn--1ug.example'],
  ['XN--POKXNCVKS.com', 'xn--pokxncvks.com'],
  ['xn--a.ß', undefined],
  ['xn--tešla', undefined],
  ['\u{200d}.example', undefined],
  ['يa', undefined],
  ['a b.com', undefined],
  ['a%00b.com', undefined],
  ['a<b', undefined],
  ['a^b', undefined],
  ['a|b', undefined],
  ['%ff.com', undefined],
  ['look\u{fffd}out.net', undefined],
  ['0x7f.1', '127.0.0.1'],
  ['0300.250.0x1', '192.250.0.1'],
  ['１.２.３.４', '1.2.3.4'],
  ['1.2.3.4.', '1.2.3.4'],
  ['256.1', undefined],
  ['1.2.3.4.5', undefined],
  ['foo.09', undefined],
  ['4294967296', undefined],
  ['[2001:DB8:0:0:0:0:0:1]', '[2001:db8::1]'],
  ['[::127.0.0.1]', '[::7f00:1]'],
  ['[::1%25eth0]', undefined],
  ['[::1', undefined],
];

/** The rest of a URL, as it is written behind a host and as it is stored. */
const rests: [written: string, rest: string][] = [
  ['', '/'],
  ['/a/../b/./c', '/b/c'],
  ['/%2e%2E/x', '/x'],
  ['\\a\\b', '/a/b'],
  ['/a b', '/a%20b'],
  ['/ü/日', '/%C3%BC/%E6%97%A5'],
  ['/😀', '/%F0%9F%98%80'],
  ['/a^b', '/a%5Eb'],
  ['/{x}`"<>', '/%7Bx%7D%60%22%3C%3E'],
  ['/%zz', '/%zz'],
  ["/?q='", '/?q=%27'],
  ['/?a b', '/?a%20b'],
  ['/?ü', '/?%C3%BC'],
  ['/#a b`', '/#a%20b%60'],
  ['/a\tb\nc', '/abc'],
  [':443/', '/'],
  [':8443/', ':8443/'],
];

test('a host is read as the URL Standard says, whatever the release of Node', () => {
  expect(hosts.map(([written]) => [written, parseUrl(`https://${written}/`)?.host])).toEqual(hosts);
});

test('a path, query and fragment are encoded as the URL Standard says', () => {
  const read = rests.map(([written]) => [
    written,
    parseUrl(`https://ex.com${written}`)?.href.slice('https://ex.com'.length),
  ]);
  expect(read).toEqual(rests);
});

test('text before the host, and other schemes, are read as the URL Standard says', () => {
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

test('the parser of the platform reads plain URLs as the standard does', () => {
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
