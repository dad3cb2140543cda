import { request } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { useWeb } from '../support/http/web-app.ts';
import { sendRaw } from '../support/services/raw-http.ts';
import { createUrl } from '../support/urls/urls.ts';
import { waitUntil } from '../support/wait-until.ts';

const maxApiRequests = 3;
const metricsToken = 'a-token-for-metrics';
const web = useWeb({
  MAX_API_REQUESTS: String(maxApiRequests),
  MAX_EVENT_LOOP_DELAY_MS: '100',
  METRICS_TOKEN: metricsToken,
});

interface Load {
  rejected_share: { api: number };
}

test('API requests beyond the concurrency limit are rejected until one in progress ends', async () => {
  const unfinished = Array.from({ length: maxApiRequests }, () => {
    const sent = request(`${web.baseUrl()}/api/v1/urls`, {
      method: 'POST',
      headers: { 'x-api-key': web.apiKey(), 'content-type': 'application/json', 'content-length': 1_000 },
    });
    sent.on('error', () => {});
    sent.write('{');
    return sent;
  });
  const read = async () => await web.client().get('/api/v1/urls/unknown1');
  const rejected = await waitUntil('one more request is rejected', async () => {
    const answer = await read();
    return answer.status === 503 && answer;
  });
  expect(rejected).toBeProblem('unavailable');
  expect(rejected.headers.get('retry-after')).toBe('1');
  expect(rejected.headers.get('content-type')).toContain('application/problem+json');
  const whole = `GET http://x/api/v1/urls/unknown1 HTTP/1.1\r\nhost: x\r\nx-api-key: ${web.apiKey()}\r\n\r\n`;
  expect((await sendRaw(web.baseUrl(), whole, { answers: 1 })).answers).toMatchObject([{ status: 503 }]);
  expect((await web.client().get('/unknown2')).status).toBe(404);
  expect((await web.client().get('/health')).status).toBe(200);
  const metrics = await fetch(`${web.baseUrl()}/metrics`, {
    headers: { authorization: `Bearer ${metricsToken}` },
  });
  expect(await metrics.text()).toMatch(/^linkmill_load_shed_requests_total\{kind="api"\} [1-9]/m);

  for (const sent of unfinished) sent.destroy();
  await waitUntil('a request is answered again', async () => (await read()).status === 404);
});

test('the requests of disconnected clients do not stay in progress', async () => {
  const { hostname, port } = new URL(web.baseUrl());
  const sent = `GET /api/v1/urls/unknown1 HTTP/1.1\r\nhost: ${hostname}\r\nx-api-key: ${web.apiKey()}\r\n\r\n`;
  const visitor = web.client(null);
  const read = async () => (await visitor.get('/api/v1/urls/unknown1')).status;
  const table = await web.database.db().transaction();
  await table.raw('lock table urls in access exclusive mode');
  // A connection processes its requests in sequence, so each request needs its own connection.
  const sockets = Array.from({ length: maxApiRequests }, () => connect(Number(port), hostname));
  try {
    for (const socket of sockets) {
      socket.on('error', () => {});
      socket.write(sent);
    }
    await waitUntil('the requests are in progress', async () => (await read()) === 503);
  } finally {
    for (const socket of sockets) socket.resetAndDestroy();
    await table.rollback();
  }
  await waitUntil('one more request is answered', async () => (await read()) === 401);
});

describe('an overloaded web process', () => {
  /** Lets the process run only in short slices, as on an overloaded machine. */
  function slowDown(stoppedMs: number, runningMs: number) {
    const ending = new AbortController();
    const slowing = (async () => {
      while (!ending.signal.aborted) {
        web.signal('SIGSTOP');
        await delay(stoppedMs);
        web.signal('SIGCONT');
        await delay(runningMs);
      }
    })();
    return async () => {
      ending.abort();
      await slowing;
    };
  }

  test('rejects API requests and uncached redirects, serves health and cached ones, and recovers', async () => {
    const code = await createUrl(web.client());
    const resume = slowDown(300, 20);
    try {
      const rejected = await waitUntil('an API request is rejected', async () => {
        const answer = await web.client().get('/api/v1/urls/unknown1');
        return answer.status === 503 && answer;
      });
      expect(rejected).toBeProblem('unavailable');
      expect(rejected.headers.get('retry-after')).toBe('1');
      await waitUntil('an uncached redirect is rejected', async () => {
        const answer = await web.client().get('/unknown3');
        return answer.status === 503;
      });
      const health = await web.client().get('/health');
      expect(health.status).toBe(200);
      expect(health.body['status']).toBe('degraded');
      expect(health.body['load']).toMatchObject({ rejected_share: { api: expect.any(Number) } });
      await waitUntil('redirects are served from memory', async () => {
        if ((await web.client().get(`/${code}`)).status !== 301) return false;
        const answers = await Promise.all(Array.from({ length: 20 }, () => web.client().get(`/${code}`)));
        return answers.every(({ status }) => status === 301);
      });
    } finally {
      await resume();
    }
    await waitUntil('no request is rejected', async () => {
      const { body } = await web.client().get('/health');
      const codes = (body['conditions'] as { code: string }[]).map(({ code }) => code);
      return !codes.includes('request_limit') && (body['load'] as Load).rejected_share.api === 0;
    });
    expect((await web.client().get(`/api/v1/urls/${code}`)).status).toBe(200);
  });

  test('rejects nothing after it was stopped only once', async () => {
    web.signal('SIGSTOP');
    await delay(1_500);
    web.signal('SIGCONT');
    const answers = await Promise.all(
      Array.from({ length: 3 }, () => web.client().get('/api/v1/urls/unknown1')),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(3).fill(404));
    expect((await web.client().get('/health')).body['load']).toMatchObject({ rejected_share: { api: 0 } });
  });
});
