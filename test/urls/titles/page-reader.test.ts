import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { isPublicAddress } from '../../../src/urls/input/public-address.ts';
import { createPageReader } from '../../../src/urls/titles/page-reader.ts';
import { track } from '../../support/resources.ts';
import { waitUntil } from '../../support/wait-until.ts';

let server: Server;
let closed: () => void;
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let requests: IncomingMessage[] = [];
const origin = (host = '127.0.0.1') => `http://${host}:${(server.address() as AddressInfo).port}`;

beforeAll(async () => {
  closed = track('pages');
  server = createServer((request, response) => {
    requests.push(request);
    answer(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
  closed();
});
beforeEach(() => {
  requests = [];
  answer = (_request, response) =>
    void response.setHeader('content-type', 'text/html').end('<title>x</title>');
});

const never = new AbortController().signal;
const isBlocked = (url: string) => url.includes('blocked');
const isLocal = (address: string) => address === '127.0.0.1';
const open = createPageReader({ isBlocked, isAllowedAddress: isLocal });
const read = async (url: string, readPage = open) =>
  await readPage(url, never).then(
    ({ bytes }) => bytes.toString(),
    (error: { reason: string }) => error.reason,
  );
const redirect =
  (location: string): typeof answer =>
  (_request, response) =>
    void response.writeHead(302, { location }).end();

test('a page is read without cookies, and as that of a bot', async () => {
  expect(await read(`${origin()}/path?a=1#b`)).toBe('<title>x</title>');
  const [{ url, headers }] = requests as [IncomingMessage];
  expect([url, headers['user-agent']]).toEqual(['/path?a=1', expect.stringContaining('LinkmillBot/')]);
  expect(Object.keys(headers).toSorted()).toEqual([
    'accept',
    'accept-encoding',
    'connection',
    'host',
    'user-agent',
  ]);
});

test('addresses that are not public are refused, in every notation, and get no connection', async () => {
  const closedReader = createPageReader({ isBlocked });
  const { port } = new URL(origin());
  for (const host of [
    'localhost',
    '127.0.0.1',
    '127.1',
    '0x7f.0.0.1',
    '2130706433',
    '0',
    '[::1]',
    '[::]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[64:ff9b::7f00:1]',
    '[2002:7f00:1::]',
    '10.0.0.1',
    '172.16.0.1',
    '192.168.0.1',
    '169.254.169.254',
    '100.64.0.1',
    '192.0.2.1',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '[fe80::1]',
    '[fc00::1]',
    '[ff02::1]',
    '[2001:db8::1]',
  ])
    expect([host, await read(`http://${host}:${port}/`, closedReader)]).toEqual([host, 'address']);
  expect(requests).toEqual([]);
  for (const address of ['8.8.8.8', '1.1.1.1', '2606:4700::1111'])
    expect(isPublicAddress(address)).toBe(true);
});

test('a name with one address that is not public is refused', async () => {
  const readPage = createPageReader({
    isBlocked,
    isAllowedAddress: isLocal,
    resolve: (_host, _options, callback) =>
      callback(null, [
        { address: '127.0.0.1', family: 4 },
        { address: '127.0.0.2', family: 4 },
      ]),
  });
  expect(await read(origin('mixed.example'), readPage)).toBe('address');
  expect(requests).toEqual([]);
});

test('the connection goes to the address that was checked, even if the name has another one a moment later', async () => {
  const answers = ['127.0.0.1', '127.0.0.2', '127.0.0.2'];
  let asked = 0;
  const readPage = createPageReader({
    isBlocked,
    isAllowedAddress: isLocal,
    resolve: (_host, _options, callback) => callback(null, [{ address: answers[asked++]!, family: 4 }]),
  });
  expect(await read(origin('rebinding.example'), readPage)).toBe('<title>x</title>');
  expect([asked, requests.length]).toEqual([1, 1]);
  expect(await read(origin('rebinding.example'), readPage)).toBe('address');
});

test('each redirect is checked again', async () => {
  for (const [location, reason] of [
    [`${origin('127.0.0.2')}/`, 'address'],
    ['http://[::1]/', 'address'],
    ['http://169.254.169.254/latest/meta-data/', 'address'],
    [`${origin()}/blocked`, 'blocked'],
    ['file:///etc/passwd', 'scheme'],
    ['javascript:alert(1)', 'scheme'],
    ['http://[', 'redirects'],
  ] as const) {
    requests = [];
    answer = redirect(location);
    expect([location, await read(origin())]).toEqual([location, reason]);
    expect(requests).toHaveLength(1);
  }
});

test('three redirects are followed, and no fourth', async () => {
  answer = ({ url }, response) => {
    const left = Number(url!.slice(1));
    if (left > 0) response.writeHead(307, { location: `/${left - 1}` }).end();
    else response.setHeader('content-type', 'text/html').end('end');
  };
  expect(await read(`${origin()}/3`)).toBe('end');
  requests = [];
  expect(await read(`${origin()}/4`)).toBe('redirects');
  expect(requests).toHaveLength(4);
});

test('other schemes and blocked hosts are not opened', async () => {
  expect(await read('mailto:ada@example.com')).toBe('scheme');
  expect(await read('ftp://127.0.0.1/')).toBe('scheme');
  expect(await read(`${origin()}/blocked`)).toBe('blocked');
  expect(requests).toEqual([]);
});

test('only HTML with status 200 and without compression is read', async () => {
  for (const [status, headers, reason] of [
    [404, { 'content-type': 'text/html' }, 'status'],
    [204, {}, 'status'],
    [200, { 'content-type': 'application/pdf' }, 'type'],
    [200, { 'content-type': 'text/html5' }, 'type'],
    [200, {}, 'type'],
    [200, { 'content-type': 'text/html', 'content-encoding': 'gzip' }, 'type'],
  ] as const) {
    answer = (_request, response) => void response.writeHead(status, headers).end();
    expect([status, headers, await read(origin())]).toEqual([status, headers, reason]);
  }
});

test('a page without an end is read up to 256 KB, or up to its title, and its connection is closed', async () => {
  for (const [part, atMost] of [
    ['x'.repeat(16_384), 256 * 1_024],
    [`<title>x</tiTLE>${'x'.repeat(16_384)}`, 100_000],
  ] as const) {
    requests = [];
    answer = (_request, response) => {
      response.setHeader('content-type', 'text/html; charset=utf-8');
      const send = () => {
        while (!response.destroyed && response.write(part));
      };
      response.on('drain', send);
      send();
    };
    expect((await read(origin())).length).toBeLessThanOrEqual(atMost);
    await waitUntil('the connection is closed', () => requests[0]!.socket.destroyed);
  }
});

test('a server that does not answer, or never ends, is left after 5 s', async () => {
  const from = performance.now();
  const results = await Promise.all(
    [
      (_request: IncomingMessage) => undefined,
      (_request: IncomingMessage, response: ServerResponse) => {
        response.setHeader('content-type', 'text/html');
        response.write('<title>');
      },
    ].map(async (hang, i) => {
      // Each host has its own turn.
      const host = createServer(hang).listen(0, '127.0.0.1');
      await once(host, 'listening');
      const reason = await read(`http://127.0.0.1:${(host.address() as AddressInfo).port}/${i}`);
      host.closeAllConnections();
      host.close();
      return reason;
    }),
  );
  expect(results).toEqual(['timeout', 'timeout']);
  expect(performance.now() - from).toBeLessThan(9_000);
});

test('a connection that breaks is no page', async () => {
  answer = (request) => void request.socket.destroy();
  expect(await read(origin())).toBe('connection');
  answer = (request, response) => {
    response.setHeader('content-type', 'text/html');
    response.write('<title>', () => request.socket.destroy());
  };
  expect(await read(origin())).toBe('connection');
});

test('one host gets one request at a time', async () => {
  let open = 0;
  let most = 0;
  answer = (_request, response) => {
    most = Math.max(most, ++open);
    response.setHeader('content-type', 'text/html');
    setImmediate(() => {
      open -= 1;
      response.end('x');
    });
  };
  const results = await Promise.all(
    Array.from({ length: 8 }, async (_, i) => await read(`${origin()}/${i}`)),
  );
  expect([results, most]).toEqual([Array<string>(8).fill('x'), 1]);
});
