import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { useWeb } from '../../support/http/web-app.ts';
import { sendRaw } from '../../support/services/raw-http.ts';
import { createUrl } from '../../support/urls/urls.ts';
import { waitUntil } from '../../support/wait-until.ts';

const web = useWeb({ METRICS_PUBLIC: 'true' });
const host = 'Host: short.example\r\n';
const get = (path: string) => `GET ${path} HTTP/1.1\r\n${host}\r\n`;
const api = (method: string, path: string, head = '', body = '') =>
  `${method} ${path} HTTP/1.1\r\n${host}x-api-key: ${web.apiKey()}\r\n${head}\r\n${body}`;

const open: Socket[] = [];
afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy();
});

/** A client that sends requests without waiting for responses, and reads responses only on request. */
function flood(bytes: string, { reads }: { reads: boolean }) {
  const { hostname, port } = new URL(web.baseUrl());
  const socket = connect(Number(port), hostname);
  open.push(socket);
  socket.on('error', () => {});
  if (reads) socket.resume();
  else socket.pause();
  const block = Buffer.from(bytes.repeat(Math.ceil(65_536 / bytes.length)));
  const send = () => {
    while (!socket.destroyed && socket.write(block));
  };
  socket.on('drain', send);
  send();
  return socket;
}

const lockUrls = async () => {
  const table = await web.database.db().transaction();
  await table.raw('lock table urls in access exclusive mode');
  return table;
};

test('pipelined requests are answered in order', async () => {
  const code = await createUrl(web.client());
  const paths = Array.from({ length: 300 }, (_, i) => [`/${code}`, '/health/live', '/unknown-1'][i % 3]!);
  const { answers } = await sendRaw(web.baseUrl(), paths.map(get).join(''), { answers: 300 });
  expect(answers.map(({ status }) => status)).toEqual(paths.map((_, i) => [301, 200, 404][i % 3]));
});

test('a pipelined read returns the write before it', async () => {
  const body = JSON.stringify({ original_url: 'https://example.com/', custom_code: 'pipelined-1' });
  const json = `content-type: application/json\r\nContent-Length: ${body.length}\r\n`;
  const { answers } = await sendRaw(
    web.baseUrl(),
    api('POST', '/api/v1/urls', json, body) +
      api('GET', '/api/v1/urls/pipelined-1') +
      api('DELETE', '/api/v1/urls/pipelined-1') +
      get('/pipelined-1'),
    { answers: 4 },
  );
  expect(answers.map(({ status }) => status)).toEqual([201, 200, 204, 404]);
});

test('a body among hundreds of pipelined requests arrives complete', async () => {
  const body = JSON.stringify({ original_url: `https://example.com/${'x'.repeat(1_900)}` }).padEnd(60_000);
  const json = `content-type: application/json\r\nContent-Length: ${body.length}\r\n`;
  const bytes =
    get('/health/live').repeat(200) +
    api('POST', '/api/v1/urls', json, body) +
    get('/health/live').repeat(200);
  const { answers } = await sendRaw(web.baseUrl(), bytes, { answers: 401 });
  expect(answers.map(({ status }) => status)).toEqual([
    ...Array(200).fill(200),
    201,
    ...Array(200).fill(200),
  ]);
});

test('a connection is not read while its first request is unanswered', async () => {
  const table = await lockUrls();
  try {
    const socket = flood(api('GET', '/api/v1/urls/unknown1'), { reads: true });
    await waitUntil('requests wait', async () => (await waiting()) > 0);
    const before = await waiting();
    const sentBefore = socket.bytesWritten - socket.writableLength;
    await waitUntil('the client cannot send more', async () => {
      const sent = socket.bytesWritten - socket.writableLength;
      await delay(100);
      return sent === socket.bytesWritten - socket.writableLength;
    });
    expect(socket.bytesWritten).toBeGreaterThan(sentBefore);
    expect(await waiting()).toBe(before);
    // The number of requests of this length that Node reads at once.
    expect(before).toBeLessThan(2_000);
  } finally {
    await table.rollback();
  }
});

test.each([
  ['that reads its answers', true],
  ['that reads no answer', false],
])('a client %s and floods delays no other client and leaves nothing behind', async (_, reads) => {
  const code = await createUrl(web.client());
  const floods = [get(`/${code}`), get('/zzzzzzz'), api('GET', '/api/v1/urls/zzzzzzz'), get('/health')];
  for (const bytes of floods) flood(bytes, { reads });
  for (let i = 0; i < 20; i++) expect((await web.client(null).get(`/${code}`)).status).toBe(301);
  for (const socket of open) socket.destroy();
  await waitUntil('no request waits', async () => (await waiting()) === 0);
  await waitUntil('no other request is in progress', async () => (await inProgress()) <= 1);
});

test('a client that disconnects leaves no waiting requests behind', async () => {
  const table = await lockUrls();
  try {
    const socket = flood(api('GET', '/api/v1/urls/unknown1'), { reads: true });
    await waitUntil('requests wait', async () => (await waiting()) > 0);
    socket.resetAndDestroy();
    await waitUntil('no request waits', async () => (await waiting()) === 0);
  } finally {
    await table.rollback();
  }
});

const waiting = async () => await readMetric('linkmill_requests_waiting');
const inProgress = async () => await readMetric('linkmill_requests_in_progress');
async function readMetric(name: string): Promise<number> {
  const text = await (await fetch(`${web.baseUrl()}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1]);
}
