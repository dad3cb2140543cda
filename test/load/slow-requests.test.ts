import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { problemUri } from '../../src/http/problems/problem-types.ts';
import { useWeb } from '../support/http/web-app.ts';

const web = useWeb();
const host = 'Host: short.example\r\n';
const begin = `POST /api/v1/urls HTTP/1.1\r\n${host}content-type: application/json\r\nContent-Length: 10000\r\n`;

/** Sends a byte a second after a beginning, for as long as the server listens. Resolves to all that it answered. */
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

describe.concurrent('a request that does not arrive in time is answered 408 and its connection closed', () => {
  test.each([
    ['headers within 10 s', `${begin}x-slow: `, 10_000],
    ['a request line within 10 s', 'GET /', 10_000],
    ['a body within 15 s', `${begin}x-api-key: KEY\r\n\r\n{`, 15_000],
  ])('%s', async (_, beginning, withinMs) => {
    const { answer, afterMs } = await sendSlowly(beginning.replace('KEY', web.apiKey()));
    expect(answer).toMatch(/^HTTP\/1.1 408 /);
    expect(answer).toContain(`"type":"${problemUri('bad-request')}"`);
    // Node looks once a second, on a machine that may be busy.
    expect(afterMs).toBeGreaterThan(withinMs - 100);
    expect(afterMs).toBeLessThan(withinMs + 6_000);
  });

  test('five hundred of them harm nobody else', async () => {
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

test('no error of ours was logged for any of them', () => {
  expect(web.output()).not.toContain('request failed');
});
