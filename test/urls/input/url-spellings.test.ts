import { BlockList, isIP } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createDestinationPolicy, UrlRejected } from '../../../src/urls/input/destination-policy.ts';
import { parseUrl } from '../../../src/validation/parse-url.ts';

const ownHosts = ['sho.rt', 'xn--bcher-kva.example', '203.0.114.7', '[2001:4860:4860::8888]'];
const normaliseUrl = createDestinationPolicy({ ownHosts, allowPrivate: false, isBlocked: () => false });

/** The normalised URL; undefined if the policy rejects it. */
function accept(text: string): string | undefined {
  try {
    return normaliseUrl(text);
  } catch (error) {
    if (error instanceof UrlRejected) return undefined;
    throw error;
  }
}

const privateIpv4 = ['0/8', '10/8', '100.64/10', '127/8', '169.254/16', '172.16/12', '192.168/16', '224/3'];
const privateIpv6 = ['::/128', '::1/128', 'fc00::/7', 'fe80::/10', 'fec0::/10', 'ff00::/8'];
/** IPv6 prefixes that embed an IPv4 address, and its first bit. */
const embeddings = [
  ['::ffff:0:0/96', 96],
  ['::/96', 96],
  ['64:ff9b::/96', 96],
  ['2002::/16', 16],
] as const;

const listOf = (subnets: readonly string[], family: 'ipv4' | 'ipv6') => {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [start = '', bits] = subnet.split('/');
    const address = family === 'ipv4' ? [...start.split('.'), '0', '0', '0'].slice(0, 4).join('.') : start;
    list.addSubnet(address, Number(bits), family);
  }
  return list;
};
const privateV4 = listOf(privateIpv4, 'ipv4');
const privateV6 = listOf(privateIpv6, 'ipv6');
const embedded = embeddings.map(([subnet, at]) => ({ list: listOf([subnet], 'ipv6'), at }));

const toIpv4 = (value: number) => [24, 16, 8, 0].map((shift) => (value >>> shift) & 0xff).join('.');

/** The bits of an IPv6 address in the URL parser's spelling. */
function bitsOf(address: string): bigint {
  const [head = '', tail] = address.split('::');
  const groups = (text: string) => (text === '' ? [] : text.split(':'));
  const [before, after] = [groups(head), groups(tail ?? '')];
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  return [...before, ...zeros, ...after].reduce((bits, group) => (bits << 16n) | BigInt(`0x${group}`), 0n);
}

/** Whether a browser would contact the service itself or a private host: an oracle independent of the policy. */
function isInternal(href: string): boolean {
  const url = new URL(href);
  const host = url.hostname.replace(/\.+$/, '');
  // Another port is another service.
  const isOwn = (name: string) => ownHosts.includes(name) && ['', '80', '443'].includes(url.port);
  if (isOwn(host)) return true;
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  if (isIP(bare) === 0)
    return !host.includes('.') || /\.(localhost|local|internal|lan|home\.arpa)$/.test(host);
  if (isIP(bare) === 4) return privateV4.check(bare);
  if (privateV6.check(bare, 'ipv6')) return true;
  const inside = embedded.find(({ list }) => list.check(bare, 'ipv6'));
  if (!inside) return false;
  const ipv4 = Number((bitsOf(bare) >> BigInt(96 - inside.at)) & 0xffffffffn);
  return privateV4.check(toIpv4(ipv4)) || isOwn(toIpv4(ipv4));
}

const hex4 = (value: number) => (value & 0xffff).toString(16);

/** An IPv4 address, mostly a private one. */
const ipv4 = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom(0x7f000001, 0x0a000001, 0xa9fea9fe, 0xac100001, 0xc0a80101, 0, 0x64400001),
  },
  { weight: 2, arbitrary: fc.nat(0xffffff).map((rest) => 0x0a000000 + rest) },
  { weight: 1, arbitrary: fc.constant(0xcb007207) },
  { weight: 1, arbitrary: fc.nat(0xffffffff) },
);

const spellNumber = fc.constantFrom(
  (value: number) => String(value),
  (value: number) => `0x${value.toString(16)}`,
  (value: number) => `0X000${value.toString(16).toUpperCase()}`,
  (value: number) => `0${value.toString(8)}`,
  (value: number) => `000${value.toString(8)}`,
);

const ipv4Host = fc
  .tuple(ipv4, fc.integer({ min: 1, max: 4 }), fc.array(spellNumber, { minLength: 4, maxLength: 4 }))
  .map(([address, parts, spellings]) => {
    const leading = [24, 16, 8].slice(0, parts - 1).map((shift) => (address >>> shift) & 0xff);
    return [...leading, address % 2 ** (8 * (5 - parts))].map((value, i) => spellings[i]!(value)).join('.');
  });

const ipv6Host = fc.tuple(ipv4, fc.nat(7), fc.nat(0xffff)).map(([address, kind, rest]) => {
  const pair = `${hex4(address >>> 16)}:${hex4(address)}`;
  return [
    `[::ffff:${toIpv4(address)}]`,
    `[0:0:0:0:0:FFFF:${pair}]`,
    `[::${pair}]`,
    `[64:ff9b::${toIpv4(address)}]`,
    `[2002:${pair}::${hex4(rest)}]`,
    `[fe80::${hex4(rest)}]`,
    `[FD${hex4(rest).padStart(4, '0').slice(0, 2)}::1]`,
    ['[::1]', '[::]', '[0:0::0:1]', '[2001:4860:4860:0::8888]'][rest % 4]!,
  ][kind]!;
});

const name = fc.constantFrom(
  'localhost',
  'a.localhost',
  'sho.rt',
  'bücher.example',
  'xn--bcher-kva.example',
  'intranet',
  'nas.local',
  'metadata.google.internal',
  'example.com',
  'not-sho.rt',
  'sho.rt.example',
  'faß.example',
);

const percentEncode = (text: string) =>
  Array.from(Buffer.from(text), (byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
const toFullWidth = (character: string) =>
  /[!-~]/.test(character) ? String.fromCharCode(character.charCodeAt(0) + 0xfee0) : character;

/** Spellings of a character that the URL parser reverts or rejects. */
const disguise = fc.oneof(
  { weight: 8, arbitrary: fc.constant((character: string) => character) },
  fc.constantFrom<(character: string) => string>(
    (character) => character.toUpperCase(),
    percentEncode,
    toFullWidth,
    (character) => percentEncode(toFullWidth(character)),
    (character) => (character === '.' ? '。' : character),
    (character) => (character === '.' ? '．' : character),
    (character) => `${character}\u00ad`,
    (character) => `\t${character}`,
    (character) => `${character}\r\n`,
    (character) => `${character}\0`,
  ),
);

const disguised = fc
  .tuple(fc.oneof(ipv4Host, ipv6Host, name), fc.array(disguise, { minLength: 1, maxLength: 12 }))
  .map(([host, spellings]) =>
    Array.from(host)
      .map((character, i) => spellings[i % spellings.length]!(character))
      .join(''),
  );

const pick = (...texts: string[]) => fc.constantFrom(...texts);
const spelledUrl = fc
  .record({
    before: pick('', '', '', ' ', '\t', '\n'),
    scheme: pick('http://', 'https://', 'HTTP://', 'https:', 'http:/', 'http:\\\\', 'https:///', 'h\tttp://'),
    user: pick('', '', '', '', 'user@', 'example.com@', 'example.com:80@', 'a%40b@', '@'),
    host: disguised,
    dots: pick('', '', '.', '..', '。'),
    port: pick('', '', ':80', ':8443', ':', ':00000000000080'),
    rest: pick('', '/', '/path', '\\@example.com/', '#@example.com/', '?@example.com', '/..//example.com'),
  })
  .map(
    ({ before, scheme, user, host, dots, port, rest }) => before + scheme + user + host + dots + port + rest,
  );

test("no spelling of the service's own host or of a private address is accepted", () => {
  const seen = { accepted: 0, inside: 0 };
  fc.assert(
    fc.property(spelledUrl, (text) => {
      const href = accept(text);
      const url = parseUrl(text);
      if (url && isInternal(url.href)) seen.inside += 1;
      if (href === undefined) return;
      seen.accepted += 1;
      expect(isInternal(href), text).toBe(false);
    }),
    { numRuns: 10_000 },
  );
  // The property must cover both accepted and rejected URLs.
  expect(seen.inside).toBeGreaterThan(2_000);
  expect(seen.accepted).toBeGreaterThan(300);
});
