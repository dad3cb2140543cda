import type { IncomingMessage } from 'node:http';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createReadClientAddress } from '../../../src/http/server/client-address.ts';

/** The client address of a request from `remoteAddress` with this header behind `hops` proxies. */
function read(hops: number, remoteAddress: string | undefined, forwarded?: string): string {
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
  return createReadClientAddress(hops)({ headers, socket: { remoteAddress } } as unknown as IncomingMessage);
}

test('X-Forwarded-For is ignored without a proxy', () => {
  expect(read(0, '203.0.113.7')).toBe('203.0.113.7');
  expect(read(0, '203.0.113.7', '198.51.100.1')).toBe('203.0.113.7');
  expect(read(0, undefined, '198.51.100.1')).toBe('');
});

test.each([
  [1, '198.51.100.1', '198.51.100.1'],
  [1, '1.1.1.1, 198.51.100.1', '198.51.100.1'],
  [2, '198.51.100.1,10.0.0.1', '198.51.100.1'],
  [2, '6.6.6.6, 198.51.100.1 , 10.0.0.1', '198.51.100.1'],
  [3, '6.6.6.6, 198.51.100.1, 10.0.0.2, 10.0.0.1', '198.51.100.1'],
])(
  'behind %i proxies the client address is that many entries from the end of "%s"',
  (hops, forwarded, address) => {
    expect(read(hops, '10.0.0.9', forwarded)).toBe(address);
  },
);

test.each([
  [1, ''],
  [1, 'unknown'],
  [1, '198.51.100.1,'],
  [1, '198.51.100.1, <script>'],
  [1, '198.51.100.256'],
  [1, '198.51.100.1:port'],
  [1, '[198.51.100.1'],
  [1, '_hidden:80'],
  [2, '198.51.100.1'],
  [3, ',198.51.100.1'],
  [2, ',198.51.100.1'],
  [16, ',,,'],
])('behind %i proxies, "%s" gives the address of the connection', (hops, forwarded) => {
  expect(read(hops, '10.0.0.9', forwarded)).toBe('10.0.0.9');
});

test.each([
  ['::ffff:203.0.113.7', '203.0.113.7'],
  ['::FFFF:203.0.113.7', '203.0.113.7'],
  ['::ffff:cb00:7107', '203.0.113.7'],
  ['2001:DB8::1', '2001:db8::1'],
  ['fe80::1%eth0', 'fe80::1'],
])('%s counts as %s, from the connection and from a proxy', (given, address) => {
  expect(read(0, given)).toBe(address);
  expect(read(1, '10.0.0.9', given)).toBe(address);
});

test.each([
  ['203.0.113.7:54321', '203.0.113.7'],
  ['[2001:db8::1]:443', '2001:db8::1'],
  ['[::ffff:203.0.113.7]:443', '203.0.113.7'],
])('a proxy may write the port: %s', (given, address) => {
  expect(read(1, '10.0.0.9', given)).toBe(address);
});

test('entries from the client never change the address behind a proxy', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), fc.string({ maxLength: 60 }), (hops, written) => {
      const added = ['198.51.100.1', '10.0.0.1', '10.0.0.2', '10.0.0.3'].slice(0, hops);
      expect(read(hops, '10.0.0.9', [written, ...added].join(', '))).toBe('198.51.100.1');
    }),
  );
});
