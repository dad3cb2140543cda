import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createDestinationPolicy, UrlRejected } from '../../../src/urls/input/destination-policy.ts';
import { reachedHosts } from '../../../src/urls/input/reached-hosts.ts';

const ownHosts = [
  'sho.rt.',
  'xn--bcher-kva.example',
  '[2001:4860:4860::8888]',
  '8.8.4.4',
  'other.example:8443',
];
const normaliseUrl = createDestinationPolicy({ ownHosts, allowPrivate: false, isBlocked: () => false });
const lenient = createDestinationPolicy({ ownHosts, allowPrivate: true, isBlocked: () => false });

/** Why the policy rejects a URL; undefined if it accepts it. */
function violationOf(text: string, policy = normaliseUrl): string | undefined {
  try {
    policy(text);
    return undefined;
  } catch (error) {
    if (!(error instanceof UrlRejected)) throw error;
    return error.message;
  }
}

const isPrivate = 'must not lead to a private, loopback or link-local address';
const isOwn = 'must not lead back to this service';

test('a valid URL is normalised', () => {
  expect(normaliseUrl('HTTPS://Example.COM:443/a/../b c?q=ü#ä')).toBe(
    'https://example.com/b%20c?q=%C3%BC#%C3%A4',
  );
  expect(normaliseUrl('http://example.com')).toBe('http://example.com/');
  expect(normaliseUrl('https://bücher.test/')).toBe('https://xn--bcher-kva.test/');
});

test.each([
  'javascript:alert(1)',
  'JaVaScRiPt://example.com/%0aalert(1)',
  'data:text/html,<script>alert(1)</script>',
  'ftp://example.com/file',
  'file:///etc/passwd',
  'mailto:somebody@example.com',
  'ws://example.com/',
  'blob:https://example.com/1',
  'view-source:https://example.com/',
])('a URL with another scheme is rejected: %s', (text) => {
  expect(violationOf(text)).toBe('must begin with http:// or https://');
});

test.each(['', ' ', 'example.com', '/path', '//example.com/path', 'https://', 'http://[::1', 'http://a b/'])(
  'a text that is not an absolute URL is rejected: "%s"',
  (text) => {
    expect(violationOf(text)).toBe('must be an absolute URL, such as https://example.com/page');
  },
);

test.each(['https://user@example.com/', 'https://user:word@example.com/', 'https://:word@example.com/'])(
  'a URL with credentials is rejected: %s',
  (text) => {
    expect(violationOf(text)).toBe('must not contain a user name or password');
  },
);

test('control characters are rejected in every position', () => {
  const controls = Array.from({ length: 0xa0 }, (_, code) => code).filter(
    (code) => code < 0x20 || code >= 0x7f,
  );
  expect(controls).toContain(0x7f);
  for (const control of controls.map((code) => String.fromCharCode(code))) {
    for (const text of [
      `${control}https://example.com/`,
      `https://exam${control}ple.com/`,
      `https://example.com/a${control}b`,
      `https://example.com/#a${control}`,
    ]) {
      expect(violationOf(text), text).toBe('must not contain control characters');
    }
  }
});

test('the limit of 2,048 characters applies before and after normalisation', () => {
  const start = 'https://example.com/';
  const fits = start + 'a'.repeat(2_048 - start.length);
  expect(normaliseUrl(fits)).toBe(fits);
  expect(violationOf(`${fits}a`)).toBe('must have at most 2048 characters');
  // Each of these letters has six characters once encoded.
  expect(violationOf(start + 'ü'.repeat(400))).toBe('must have at most 2048 characters after normalisation');
});

test.each([
  'https://sho.rt/abcd',
  'http://SHO.RT/abcd',
  'https://sho.rt./abcd',
  'https://%73ho.rt/abcd',
  'https://ｓｈｏ.ｒｔ/abcd',
  'https://sho。rt/abcd',
  'https://bücher.example/',
  'https://BÜCHER.example/',
  'http://sho.rt:443/',
  'https://sho.rt:80/',
  'http://other.example:8443/',
  'https://xn--bcher-kva.example/',
  'https://[2001:4860:4860:0:0:0:0:8888]/',
  'http://8.8.1028/',
  'http://[::ffff:8.8.4.4]/',
  'http://[64:ff9b::808:404]/',
])('a URL of this service is rejected in any spelling: %s', (text) => {
  expect(violationOf(text)).toBe(isOwn);
  expect(violationOf(text, lenient)).toBe(isOwn);
});

test.each([
  'https://sho.rt:8443/',
  'https://other.example/',
  'https://not-sho.rt/',
  'https://sho.rt.example/',
  'https://www.sho.rt/',
  'https://example.com/?u=https://sho.rt',
])('another host or port is another service: %s', (text) => {
  expect(violationOf(text)).toBeUndefined();
});

const privateUrls = [
  'http://localhost/',
  'http://LOCALHOST:3000/',
  'http://localhost./',
  'http://a.localhost/',
  'http://a.b.LocalHost./',
  'http://127.0.0.1/',
  'http://127.1/',
  'http://127.0.0.1./',
  'http://2130706433/',
  'http://0x7f000001/',
  'http://0x7f.0.0.1/',
  'http://0177.0.0.01/',
  'http://017700000001/',
  'http://１２７.0.0.1/',
  'http://0/',
  'http://0.0.0.0/',
  'http://10.1.2.3/',
  'http://172.16.0.1/',
  'http://172.31.255.255/',
  'http://192.168.1.1/',
  'http://169.254.169.254/latest/meta-data/',
  'http://100.64.0.1/',
  'http://224.0.0.1/',
  'http://255.255.255.255/',
  'http://[::1]/',
  'http://[::]/',
  'http://[0:0:0:0:0:0:0:1]/',
  'http://[::ffff:127.0.0.1]/',
  'http://[::ffff:7f00:1]/',
  'http://[::ffff:a9fe:a9fe]/',
  'http://[::127.0.0.1]/',
  'http://[64:ff9b::7f00:1]/',
  'http://[2002:7f00:1::]/',
  'http://[fc00::1]/',
  'http://[fd12:3456::1]/',
  'http://[fe80::1]/',
  'http://[ff02::1]/',
];

test.each(privateUrls)('a private, loopback or link-local address is rejected: %s', (text) => {
  expect(violationOf(text)).toBe(isPrivate);
});

test.each(privateUrls)('a private address is accepted if the setting allows it: %s', (text) => {
  expect(violationOf(text, lenient)).toBeUndefined();
});

test.each([
  'http://8.8.8.8/',
  'http://172.15.255.255/',
  'http://172.32.0.1/',
  'http://[2606:4700:4700::1111]/',
  'http://[::ffff:8.8.8.8]/',
  'http://localhost.example/',
  'http://notlocalhost.com/',
])('a public address is accepted: %s', (text) => {
  expect(violationOf(text)).toBeUndefined();
});

/** The first address of each private IPv4 range, and its prefix length. */
const privateRanges = [
  [0x00000000, 8],
  [0x0a000000, 8],
  [0x64400000, 10],
  [0x7f000000, 8],
  [0xa9fe0000, 16],
  [0xac100000, 12],
  [0xc0a80000, 16],
] as const;

const privateIpv4 = fc
  .constantFrom(...privateRanges)
  .chain(([first, bits]) => fc.nat(2 ** (32 - bits) - 1).map((offset) => first + offset));

/** The spellings of a number within an IPv4 address. */
const spell = (value: number, spelling: number) =>
  [`${value}`, `0x${value.toString(16)}`, `0X${value.toString(16).toUpperCase()}`, `0${value.toString(8)}`][
    spelling
  ]!;

/** An IPv4 address in one to four parts, each with its own spelling. */
function spellIpv4(address: number, parts: number, spellings: number[]): string {
  const bytes = [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff);
  const leading = bytes.slice(0, parts - 1);
  const last = address % 2 ** (8 * (5 - parts));
  return [...leading, last].map((value, i) => spell(value, spellings[i]!)).join('.');
}

test('a private IPv4 address is rejected in every spelling', () => {
  fc.assert(
    fc.property(
      privateIpv4,
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.nat(3), { minLength: 4, maxLength: 4 }),
      fc.constantFrom('', '.'),
      fc.boolean(),
      (address, parts, spellings, dot, mapped) => {
        const hex = address.toString(16).padStart(8, '0');
        const host = mapped
          ? `[::ffff:${hex.slice(0, 4)}:${hex.slice(4)}]`
          : spellIpv4(address, parts, spellings) + dot;
        expect(violationOf(`http://${host}/`), host).toBe(isPrivate);
      },
    ),
    { numRuns: 3_000 },
  );
});

test('an accepted URL is stable printable ASCII without spaces', () => {
  const text = fc.oneof(
    fc.webUrl({ withFragments: true, withQueryParameters: true }),
    fc
      .tuple(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }))
      .map(([path, rest]) => `https://example.com/${path}?${rest}#${path}`),
  );
  let passed = 0;
  fc.assert(
    fc.property(text, (input) => {
      if (violationOf(input) !== undefined) return;
      passed += 1;
      const normal = normaliseUrl(input);
      expect(normal).toMatch(/^https?:\/\/[\x21-\x7e]+$/);
      expect(normaliseUrl(normal)).toBe(normal);
    }),
    { numRuns: 2_000 },
  );
  expect(passed).toBeGreaterThan(500);
});

test.each([
  'http://localhost../',
  'http://127.0.0.1../',
  'http://intranet/',
  'http://metadata.google.internal/',
  'http://printer.local/',
  'http://router.lan./',
  'http://nas.home.arpa/',
  'http://[4000::1]/',
  'http://[1::]/',
])('a host that is only valid inside a network is rejected: %s', (text) => {
  const normaliseUrl = createDestinationPolicy({
    ownHosts: ['sho.rt'],
    allowPrivate: false,
    isBlocked: () => false,
  });
  expect(() => normaliseUrl(text)).toThrow('must not lead to a private, loopback or link-local address');
});

const belowPath = createDestinationPolicy({
  ownHosts: ['example.com/go', 'www.sho.rt'],
  allowPrivate: false,
  schemes: ['intent', 'spotify'],
  isBlocked: () => false,
});

test.each([
  'https://example.com/',
  'https://example.com/blog',
  'https://example.com/gogo',
  'https://example.com/blog/go',
  'https://example.com/go/../blog',
  'https://example.com/?to=/go/x',
  'https://example.com/#/go/x',
  'https://example.com/100%25',
  'https://example.com/%E2%84%AA%ff%',
  'https://example.com:8443/go/x',
  'spotify://example.com/blog',
])('a URL beside the path of the base URL is accepted: %s', (text) => {
  expect(violationOf(text, belowPath)).toBeUndefined();
});

test.each([
  'https://example.com/go',
  'http://EXAMPLE.com./go/',
  'https://example.com/go?x',
  'https://example.com/go/x+',
  'https://example.com/GO/x',
  'https://example.com/%67o/x',
  'https://example.com/%2567%256F/x',
  'https://example.com/%25%36%37o/x',
  'https://example.com//go/x',
  'https://example.com/%2Fgo/x',
  'https://example.com/go%2Fx',
  'https://example.com/blog/../go/x',
  'https://example.com/blog/..%2Fgo/x',
  'https://example.com/blog/%252e%252e/go/x',
  'https://example.com/go/..%2Fblog',
  'https://example.com/%5Cgo/x',
  'https://example.com\\go\\x',
  'https://example.com/go;a=1/x',
  'spotify://example.com/go/x',
  'intent://example.com/go/x#Intent;scheme=https;end',
  'intent://x/#Intent;S.browser_fallback_url=https%3A%2F%2Fexample.com%2Fgo%2Fx;end',
  'https://www.sho.rt/blog',
])('a URL that a server may route below the base URL is rejected: %s', (text) => {
  expect(violationOf(text, belowPath)).toBe(isOwn);
});

test('a path with more levels of encoding than servers decode is rejected', () => {
  const encode = (text: string) => Array.from(text, (char) => `%${char.charCodeAt(0).toString(16)}`).join('');
  const encoded = encode(encode(encode(encode(encode('x')))));
  expect(violationOf(`https://example.com/${encoded}`, belowPath)).toBe(isOwn);
});

test('a long encoded path is checked in linear time', () => {
  const long = createDestinationPolicy({
    ownHosts: ['example.com/go'],
    allowPrivate: false,
    maxLength: 8_192,
    isBlocked: () => false,
  });
  for (const part of ['%25', '%', '%2', '%25%32%35', '/..', ';', '%2F'])
    expect(violationOf(`https://example.com/x${part.repeat(2_500).slice(0, 7_900)}`, long)).toBeUndefined();
});

const schemed = createDestinationPolicy({
  ownHosts: ['sho.rt', 'xn--bcher-kva.example'],
  allowPrivate: false,
  schemes: ['mailto', 'tel', 'magnet', 'intent', 'ftp', 'spotify'],
  isBlocked: (url) => reachedHosts(url).includes('blocked.example'),
});

test.each([
  ['mailto:jürgen@example.com?subject=a b', 'mailto:j%C3%BCrgen@example.com?subject=a%20b'],
  ['MAILTO:a@example.com', 'mailto:a@example.com'],
  ['tel:+49-30-1', 'tel:+49-30-1'],
  ['magnet:?xt=urn:btih:c12fe&dn=ü', 'magnet:?xt=urn:btih:c12fe&dn=%C3%BC'],
  ['spotify://track/1', 'spotify://track/1'],
  ['ftp://EXAMPLE.com/ü', 'ftp://example.com/%C3%BC'],
  [
    'intent://scan/#Intent;scheme=zxing;S.browser_fallback_url=https%3A%2F%2Fexample.com%2F;end',
    'intent://scan/#Intent;scheme=zxing;S.browser_fallback_url=https%3A%2F%2Fexample.com%2F;end',
  ],
])('a URL with an allowed scheme is normalised: %s', (text, href) => {
  expect(schemed(text)).toBe(href);
});

test.each([
  ['sms:1', 'must begin with http://, https://, mailto:, tel:, magnet:, intent:, ftp: or spotify:'],
  ['java\tscript:alert(1)', 'must not contain control characters'],
  ['javascript:alert(1)', /^must begin with/],
  ['spotify://SHO.RT/x', 'must not lead back to this service'],
  ['intent://b%C3%BCcher.example/#Intent;end', 'must not lead back to this service'],
  ['intent://sho.rt/x#Intent;scheme=https;end', 'must not lead back to this service'],
  [
    'intent://x/#Intent;S.browser_fallback_url=https%3A%2F%2FSho.rt%2F;end',
    'must not lead back to this service',
  ],
  ['intent://127.0.0.1/#Intent;scheme=http;end', /^must not lead to a private/],
  [
    'intent://x/#Intent;scheme=http;S.browser_fallback_url=http%3A%2F%2F10.1;end',
    /^must not lead to a private/,
  ],
  ['intent://x/#Intent;S.browser_fallback_url=javascript%3Aalert(1);end', /^must not lead to an unsafe URL/],
  ['intent:alert(1)#Intent;scheme=javascript;end', /^must not lead to an unsafe URL/],
  ['intent://BLOCKED.example/#Intent;scheme=https;end', /must not lead to a blocked host/],
  ['spotify://blocked.EXAMPLE./x', /must not lead to a blocked host/],
  [
    'intent://x.example/#Intent;S.browser_fallback_url=https%3A%2F%2Fblocked.example%2F;end',
    /must not lead to a blocked host/,
  ],
  ['ftp://10.0.0.1/', /^must not lead to a private/],
  [`https://${'ü'.repeat(2_000)}.example/`, /^must have a shorter host/],
])('a URL with an allowed scheme must not break other rules: %s', (text, reason) => {
  expect(() => schemed(text)).toThrow(reason);
});

test('a configured maximum length applies before and after normalisation', () => {
  const long = createDestinationPolicy({
    ownHosts: [],
    allowPrivate: false,
    maxLength: 8_192,
    isBlocked: () => false,
  });
  const href = `https://example.com/${'a'.repeat(8_172)}`;
  expect(long(href)).toBe(href);
  expect(() => long(`${href}a`)).toThrow('must have at most 8192 characters');
  expect(() => long(`https://example.com/${'ü'.repeat(2_000)}`)).toThrow('after normalisation');
});
