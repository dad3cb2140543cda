import { expect, test } from 'vitest';
import { createLog } from '../../../src/log.ts';
import { useWeb } from '../../support/http/web-app.ts';
import { sendRaw } from '../../support/services/raw-http.ts';
import { createUrl } from '../../support/urls/urls.ts';
import { waitUntil } from '../../support/wait-until.ts';

const web = useWeb({ ACCESS_LOG: 'all', LOG_LEVEL: 'trace' });

/** A forged log line, and control sequences for terminals. */
const forged = '{"level":30,"msg":"forged"}';
const orders = ['\u001b[2J', '\u009b31m', '\u007f', '\u202e', '\r\n', '\n', '\0'];
const hostile = `${orders.join('')}${forged}`;

const bytes = (text: string) => Buffer.from(text, 'latin1');

test('hostile requests never break the log or reach a terminal', async () => {
  const code = await createUrl(web.client(), { title: 'plain' });
  const path = encodeURIComponent(hostile);
  const many = 'x'.repeat(6_000);
  for (const target of [
    `/${path}`,
    `/${code}?${path}`,
    `/${code}+${path}`,
    `/${many}`,
    `/api/v1/urls/${path}`,
  ])
    await sendRaw(web.baseUrl(), `GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`, { answers: 1 });
  // In the request line, the method and headers.
  for (const order of orders) {
    for (const request of [
      `GET /a${order}${forged} HTTP/1.1\r\nHost: x\r\n\r\n`,
      `GET${order} / HTTP/1.1\r\nHost: x\r\n\r\n`,
      `GET /b HTTP/1.1\r\nHost: x\r\nUser-Agent: a${order}${forged}\r\nReferer: ${order}\r\n\r\n`,
      `GET /c HTTP/1.1\r\nHost: x\r\nX-Request-Id: ${order}${forged}\r\nX-Api-Key: ${order}\r\n\r\n`,
    ])
      await sendRaw(web.baseUrl(), bytes(request), { answers: 1, ends: true });
  }
  for (const field of ['title', 'notes', 'custom_code', 'original_url', 'fallback_url', 'password', 'more'])
    await web.client().post('/api/v1/urls', { original_url: 'https://example.com/', [field]: hostile });
  await web.client().post('/api/v1/urls', `{"${hostile}`);
  // In an unusable URL from an external write, which is logged.
  await web.database
    .db()('urls')
    .insert({
      short_code: 'hostile-row',
      original_url: `https://[${hostile.replaceAll('\0', '')}`,
      title: hostile.replaceAll('\0', ''),
      code_is_generated: false,
    });
  await web.client().get(`/hostile-row?${path}`);
  await web.client().get('/the-end');
  await waitUntil('the last request is logged', () => web.output().includes('/the-end'));

  const lines = web.output().trimEnd().split('\n');
  const parsed = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(parsed.filter(({ process, msg }) => process !== 'web' || msg === 'forged')).toEqual([]);
  expect(parsed.some(({ msg }) => msg === 'failed to redirect to a URL that another program stored')).toBe(
    true,
  );
  expect(lines.filter((line) => line.length > 8_000)).toEqual([]);
  // oxlint-disable-next-line no-control-regex -- the test searches for control characters
  expect(web.output().match(/[\0-\x09\x0b-\x1f\x7f-\x9f\u202e]/g)).toBeNull();
});

test('an error text is logged up to 4,000 characters', () => {
  const { err } = createLog('test', 'silent')[Symbol.for('pino.serializers') as never] as {
    err: (error: Error) => Record<string, string>;
  };
  const error = Object.assign(new Error('m'.repeat(9_000)), { detail: 'd'.repeat(9_000), code: '23505' });
  const logged = err(error);
  expect(Object.values(logged).every((text) => text.length <= 4_000)).toBe(true);
  expect(logged).toMatchObject({ type: 'Error', code: '23505', detail: 'd'.repeat(4_000) });
});
