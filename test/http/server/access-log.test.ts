import { once } from 'node:events';
import { createServer, get, request, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { logAccess } from '../../../src/http/server/access-log.ts';
import { useWeb } from '../../support/http/web-app.ts';
import { untilLocked } from '../../support/locks.ts';
import { createUrl } from '../../support/urls/urls.ts';
import { waitUntil } from '../../support/wait-until.ts';

const web = useWeb({ ACCESS_LOG: 'all' });

type Line = Record<string, unknown>;
const parse = (text: string) =>
  text.split('\n').flatMap((line) => (line.includes('"request"') ? [JSON.parse(line) as Line] : []));

/** Sends requests for these paths, one after the other, to a server that answers with the status in the path. */
async function readLines(which: 'off' | 'errors' | 'sampled' | 'all', paths: string[]) {
  let output = '';
  const stream = new Writable({
    write(chunk, _encoding, done) {
      output += String(chunk);
      done();
    },
  });
  const answer: RequestListener = ({ url = '' }, response) => {
    response.statusCode = Number(/\d{3}/.exec(url)?.[0] ?? 200);
    response.end();
  };
  const config = { ACCESS_LOG: which, ACCESS_LOG_SAMPLE: 3 };
  const server = createServer(logAccess(answer, { config, log: pino({ level: 'error' }, stream) })).listen(
    0,
    '127.0.0.1',
  );
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  for (const path of paths) {
    const [response] = await once(get({ port, path, agent: false }), 'response');
    response.resume();
    await once(response, 'end');
  }
  server.close();
  await once(server, 'close');
  return parse(output).map(({ status }) => status);
}

test.each([
  ['off', []],
  ['errors', [500, 503]],
  ['sampled', [200, 404]],
  ['all', [200, 301, 500, 404, 503]],
] as const)(
  'with ACCESS_LOG=%s the responses %j are logged, independent of LOG_LEVEL',
  async (which, statuses) => {
    const paths = ['/200', '/301', '/500', '/404', '/503'];
    expect(await readLines(which, paths)).toEqual(statuses);
  },
);

test('without an access log, no listener is added', () => {
  const answer = () => {};
  const config = { ACCESS_LOG: 'off', ACCESS_LOG_SAMPLE: 1 } as const;
  expect(logAccess(answer, { config, log: pino({ level: 'silent' }) })).toBe(answer);
});

test('each request is logged with method, path, status and duration only', async () => {
  const code = await createUrl(web.client());
  for (let i = 0; i < 3; i++) await web.client().get(`/${code}?token=hidden-1`);
  await web.client().get(`/api/v1/urls/${'x'.repeat(500)}?key=hidden-2`, { 'user-agent': 'hidden-3' });
  const [response] = await once(
    request(web.baseUrl(), { path: 'http://user:hidden-4@host/page', agent: false }).end(),
    'response',
  );
  response.resume();
  const lines = await waitUntil('all lines are logged', () => {
    const found = parse(web.output());
    return found.length >= 6 && found;
  });

  const line = (method: string, path: string, status: number) => ({
    level: 30,
    time: expect.any(String),
    process: 'web',
    pid: expect.any(Number),
    method,
    path,
    status,
    ms: expect.any(Number),
    msg: 'request',
  });
  expect(lines).toEqual([
    line('POST', '/api/v1/urls', 201),
    line('GET', `/${code}`, 301),
    line('GET', `/${code}`, 301),
    line('GET', `/${code}`, 301),
    line('GET', `/api/v1/urls/${'x'.repeat(187)}`, 404),
    line('GET', '/page', 404),
  ]);
  expect(web.output()).not.toContain('hidden');
  expect(web.output()).not.toContain(web.apiKey());
});

test('a request whose client resets its connection is logged without a status', async ({
  onTestFinished,
}) => {
  const holder = await web.database.db().transaction();
  onTestFinished(async () => void (await holder.rollback()));
  await holder.raw('lock table urls in access exclusive mode');
  const aborted = request(`${web.baseUrl()}/aborted-away`, { agent: false });
  aborted.on('error', () => {});
  aborted.end();
  await untilLocked(web.database.db());
  // A client that only closes its sending side still gets a response.
  aborted.socket!.resetAndDestroy();
  await waitUntil('the aborted request is logged', () =>
    parse(web.output()).some(({ path, status }) => path === '/aborted-away' && status === null),
  );
});
