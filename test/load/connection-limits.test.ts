import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, inject, test } from 'vitest';
import { createClient } from '../support/http/client.ts';
import { commandOf, launch, placeWeb, readyWeb } from '../support/processes/launch.ts';
import { storeSettings, track, useDatabase, useRedis } from '../support/resources.ts';
import { sendRaw } from '../support/services/raw-http.ts';
import { waitUntil } from '../support/wait-until.ts';

const database = useDatabase();
const redis = useRedis();
const open: Socket[] = [];
afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy();
});

async function startWeb(more: Record<string, string>, maxFiles?: number) {
  const settings = await placeWeb({
    ...storeSettings(database, redis),
    METRICS_PUBLIC: 'true',
    ...more,
  });
  const command = commandOf(inject('buildFolder'), 'src/web.js');
  return await readyWeb(launch(command, settings, track('web process'), { maxFiles }), settings);
}

/** Opens connections that send `bytes` and nothing else. */
function openMany(baseUrl: string, count: number, bytes = '') {
  const { hostname, port } = new URL(baseUrl);
  return Array.from({ length: count }, () => {
    const socket = connect(Number(port), hostname);
    socket.on('error', () => {});
    socket.resume();
    if (bytes) socket.write(bytes);
    open.push(socket);
    return socket;
  });
}

const readStatus = async (baseUrl: string, path: string) =>
  (await sendRaw(baseUrl, `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)).answers[0]?.status;

async function readMetric(baseUrl: string, name: string): Promise<number> {
  const text = await (await fetch(`${baseUrl}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1]);
}

const conditionsOf = async (baseUrl: string) =>
  ((await createClient(baseUrl).get('/health')).body['conditions'] as { code: string }[]).map(
    ({ code }) => code,
  );

describe('a web process at its connection limit', () => {
  test('closes idle connections for new ones and reports the limit', async () => {
    const web = await startWeb({ MAX_CONNECTIONS: '20' });
    try {
      const idle = openMany(web.baseUrl, 40);
      await waitUntil('some idle connections are closed', () => idle.some(({ destroyed }) => destroyed));
      for (let i = 0; i < 5; i++) expect(await readStatus(web.baseUrl, '/unknown-1')).toBe(404);
      await waitUntil('the limit is reported', async () =>
        (await conditionsOf(web.baseUrl)).includes('connection_limit'),
      );
      expect(await readMetric(web.baseUrl, 'linkmill_connections')).toBeLessThanOrEqual(84);
    } finally {
      expect(await web.stop()).toBe(0);
    }
  });

  test('answers health checks and rejects other requests when all connections are busy', async () => {
    const web = await startWeb({ MAX_CONNECTIONS: '5', BASE_URL: '/go' });
    const half =
      'POST /report HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{';
    try {
      await waitUntil('a request is rejected', async () => {
        openMany(web.baseUrl, 1, half);
        return (await readStatus(web.baseUrl, '/unknown-1')) === 503;
      });
      for (const path of [
        '/health',
        '/health/live',
        '/health/ready',
        '/metrics',
        '/go/health',
        '/go/metrics',
      ])
        expect(await readStatus(web.baseUrl, path)).toBe(200);
      // Connections that send nothing do not displace those that send requests.
      openMany(web.baseUrl, 200);
      expect(await readStatus(web.baseUrl, '/health/live')).toBe(200);
      expect(await readMetric(web.baseUrl, 'linkmill_rejected_connections_total')).toBeGreaterThan(0);
    } finally {
      expect(await web.stop()).toBe(0);
    }
  });

  test('stays below the limit of open files', async () => {
    const web = await startWeb({}, 256);
    try {
      expect(web.output()).toContain('accepting fewer connections than MAX_CONNECTIONS');
      openMany(web.baseUrl, 500);
      expect(await readStatus(web.baseUrl, '/health')).toBe(200);
      // A connection counts as idle only after 1 s.
      await waitUntil(
        'idle connections are closed for new ones',
        async () => (await readStatus(web.baseUrl, '/unknown-1')) === 404,
      );
      for (let i = 0; i < 5; i++) {
        expect(await readStatus(web.baseUrl, '/unknown-1')).toBe(404);
        expect(await readStatus(web.baseUrl, '/health')).toBe(200);
      }
      expect(web.output()).not.toContain('EMFILE');
    } finally {
      expect(await web.stop()).toBe(0);
    }
  });
});

test('requests beyond MAX_REQUESTS get 503, except health checks, and the limit is reported', async () => {
  const web = await startWeb({ MAX_REQUESTS: '3' });
  const half =
    'POST /report HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{';
  try {
    openMany(web.baseUrl, 3, half);
    await waitUntil(
      'a request is rejected',
      async () => (await readStatus(web.baseUrl, '/unknown-1')) === 503,
    );
    for (const path of ['/', '/report', '/api/v1/urls'])
      expect(await readStatus(web.baseUrl, path)).toBe(503);
    for (const path of ['/health', '/health/live', '/health/ready', '/metrics'])
      expect(await readStatus(web.baseUrl, path)).toBe(200);
    expect(await readMetric(web.baseUrl, 'linkmill_requests_in_progress')).toBe(4);
    await waitUntil('the limit is reported', async () =>
      (await conditionsOf(web.baseUrl)).includes('request_limit'),
    );
    for (const socket of open.splice(0)) socket.destroy();
    await waitUntil(
      'a request is answered',
      async () => (await readStatus(web.baseUrl, '/unknown-1')) === 404,
    );
  } finally {
    expect(await web.stop()).toBe(0);
  }
});
