import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { problemUri } from '../../src/http/problems/problem-types.ts';
import { useWeb } from '../support/http/web-app.ts';

const web = useWeb();
const host = 'Host: short.example\r\n';
const begin = `POST /api/v1/urls HTTP/1.1\r\n${host}content-type: application/json\r\nContent-Length: 10000\r\n`;

/** Sends one byte per second after a beginning until the server closes the connection; resolves to the answer. */
async function sendSlowly(beginning: string): Promise<{ answer: string; afterMs: number }> {
  const { hostname, port } = new URL(web.baseUrl());
  const start = performance.now();
  const socket = connect({ host: hostname, port: Number(port) });
  socket.write(beginning);
  const dribble = setInterval(() => socket.write('x'), 1_000);
  const answer = await text(socket);
  clearInterval(dribble);
  socket.destroy();
  return { answer, afterMs: performance.now() - start };
}

describe.concurrent('a request that does not arrive in time gets 408 and its connection is closed', () => {
  test.each([
    ['headers after 10 s', `${begin}x-slow: `, 10_000],
    ['a request line after 10 s', 'GET /', 10_000],
    ['a body after 15 s', `${begin}x-api-key: KEY\r\n\r\n{`, 15_000],
  ])('%s', async (_, beginning, withinMs) => {
    const { answer, afterMs } = await sendSlowly(beginning.replace('KEY', web.apiKey()));
    expect(answer).toMatch(/^HTTP\/1.1 408 /);
    expect(answer).toContain(`"type":"${problemUri('bad-request', web.baseUrl())}"`);
    // Node checks timeouts once a second; the margin allows for a busy machine.
    expect(afterMs).toBeGreaterThan(withinMs - 100);
    expect(afterMs).toBeLessThan(withinMs + 6_000);
  });

  test('500 slow requests do not affect other requests', async () => {
    const slow = Array.from({ length: 500 }, async () => await sendSlowly(`${begin}x-slow: `));
    const answers = await Promise.all(
      Array.from(
        { length: 100 },
        async () => await web.client().post('/api/v1/urls', { original_url: 'https://example.com/' }),
      ),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect((await Promise.all(slow)).every(({ answer }) => answer.startsWith('HTTP/1.1 408 '))).toBe(true);
  });
});

test('slow requests are not logged as failed', () => {
  expect(web.output()).not.toContain('request failed');
});
