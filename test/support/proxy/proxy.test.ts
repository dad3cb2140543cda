import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { waitUntil } from '../wait-until.ts';
import { type Proxy, startProxy } from './proxy.ts';

/** Answers each command `x` with `done x`; `commands` lists the received ones. */
let server: Server;
let commands: string[];
let proxy: Proxy;
let clients: Socket[];

beforeEach(async () => {
  commands = [];
  clients = [];
  server = createServer((socket) => {
    socket.setEncoding('utf8').on('error', () => {});
    socket.on('data', (text: string) => {
      commands.push(text);
      socket.write(`done ${text}`);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  proxy = await startProxy((server.address() as AddressInfo).port);
});

afterEach(async () => {
  for (const client of clients) client.destroy();
  await proxy.close();
  server.close();
});

/** A connection through the proxy; records the received data and how it ended. */
async function open() {
  const socket = connect(proxy.port, '127.0.0.1').setEncoding('utf8');
  clients.push(socket);
  const seen = { heard: '', error: '', closed: false };
  socket.on('data', (text: string) => (seen.heard += text));
  socket.on('error', (error: NodeJS.ErrnoException) => (seen.error = error.code ?? ''));
  socket.on('close', () => (seen.closed = true));
  await once(socket, 'connect');
  return { seen, send: (command: string) => void socket.write(command) };
}

const hears = async (client: Awaited<ReturnType<typeof open>>, text: string) =>
  await waitUntil(`it hears ${text}`, () => client.seen.heard === text);
const isReset = async ({ seen }: Awaited<ReturnType<typeof open>>) => {
  await waitUntil('the connection is closed', () => seen.closed);
  expect(seen.error).toBe('ECONNRESET');
};

test('bytes are forwarded unchanged in both directions', async () => {
  const client = await open();
  client.send('set');
  await hears(client, 'done set');
  expect(commands).toEqual(['set']);
  expect(proxy.connections).toBe(1);
});

test('cut resets every connection, and new connections work', async () => {
  const first = await open();
  first.send('set');
  await hears(first, 'done set');
  expect(proxy.cut()).toBe(1);
  await isReset(first);
  const second = await open();
  second.send('get');
  await hears(second, 'done get');
});

test('refuse rejects new connections, and existing ones continue', async () => {
  const old = await open();
  await proxy.refuse();
  await expect(open()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  old.send('set');
  await hears(old, 'done set');
  await proxy.accept();
  const fresh = await open();
  fresh.send('get');
  await hears(fresh, 'done get');
});

test('a half-open connection stays open but forwards nothing, and new connections work', async () => {
  const stuck = await open();
  stuck.send('set');
  await hears(stuck, 'done set');
  expect(proxy.goHalfOpen()).toBe(1);
  stuck.send('lost');
  const fresh = await open();
  fresh.send('get');
  await hears(fresh, 'done get');
  expect(commands).toEqual(['set', 'get']);
  expect(stuck.seen).toEqual({ heard: 'done set', error: '', closed: false });
});

test('a connection with a muted name is half-open, and other connections work', async () => {
  const [named, other] = [await open(), await open()];
  named.send('client setname sub');
  other.send('client setname pub');
  await hears(named, 'done client setname sub');
  const end = proxy.mute('sub');
  const fresh = await open();
  fresh.send('client setname sub');
  named.send('lost');
  other.send('get');
  await hears(other, 'done client setname pubdone get');
  end();
  const late = await open();
  late.send('client setname sub');
  await hears(late, 'done client setname sub');
  expect(named.seen.heard).toBe('done client setname sub');
  expect(fresh.seen.heard).toBe('');
  expect(commands).not.toContain('lost');
});

test('latency delays both directions and keeps the order of bytes', async () => {
  const client = await open();
  proxy.setLatency(100);
  const start = performance.now();
  client.send('a');
  client.send('b');
  await waitUntil('the client has an answer', () => client.seen.heard !== '');
  expect(performance.now() - start).toBeGreaterThan(195);
  proxy.setLatency(0);
  client.send('c');
  await waitUntil('the client receives c', () => client.seen.heard.endsWith('c'));
  expect(commands.join('')).toBe('abc');
});

test('a command whose reply is dropped is executed once, and its client sees only a reset', async () => {
  const client = await open();
  const { sprung } = proxy.dropReplyTo('XADD');
  client.send('get');
  await hears(client, 'done get');
  client.send('xadd 1');
  await sprung;
  await isReset(client);
  expect(client.seen.heard).toBe('done get');
  expect(commands).toEqual(['get', 'xadd 1']);
  const again = await open();
  again.send('xadd 2');
  await hears(again, 'done xadd 2');
});

test('a trap catches only later commands, also pipelined and chunked ones', async () => {
  const client = await open();
  client.send('xadd 1');
  await hears(client, 'done xadd 1');
  const hold = proxy.hold('xadd');
  client.send('get');
  await hears(client, 'done xadd 1done get');
  client.send('xa');
  await waitUntil('the first chunk is forwarded', () => commands.at(-1) === 'xa');
  client.send('dd 2');
  await hold.sprung;
  hold.release();
  await waitUntil('all chunks are forwarded', () => commands.join(',') === 'xadd 1,get,xa,dd 2');
});

test('a held command and those after it reach the server in order once it is released', async () => {
  const client = await open();
  const hold = proxy.hold('xdel');
  client.send('xdel 1');
  await hold.sprung;
  client.send(' xdel 2');
  const other = await open();
  other.send('get');
  await hears(other, 'done get');
  expect(commands).toEqual(['get']);
  hold.release();
  await waitUntil('both commands are forwarded', () => commands.join('') === 'getxdel 1 xdel 2');
});

test('a held command that is discarded never reaches the server', async () => {
  const client = await open();
  const hold = proxy.hold('xdel');
  client.send('xdel 1');
  await hold.sprung;
  hold.discard();
  await isReset(client);
  expect(commands).toEqual([]);
});

test('a trap that is cancelled does nothing', async () => {
  const client = await open();
  proxy.dropReplyTo('xadd').cancel();
  client.send('xadd 1');
  await hears(client, 'done xadd 1');
  expect(client.seen.closed).toBe(false);
});
