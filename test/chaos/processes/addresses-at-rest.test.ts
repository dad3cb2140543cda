import { expect, test } from 'vitest';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import { openRedis } from '../../../src/storage/redis/redis.ts';
import { findTraces, readAllFiles, readAllTables, tracesOf } from '../../support/clicks/address-traces.ts';
import { createClient } from '../../support/http/client.ts';
import { importFile } from '../../support/http/imports.ts';
import { silentLog } from '../../support/resources.ts';
import { sendRaw } from '../../support/services/raw-http.ts';
import { useOwnRedisService } from '../../support/services/redis.ts';
import { insertRestrictedUrl } from '../../support/urls/restricted-urls.ts';
import { createUrl } from '../../support/urls/urls.ts';
import { waitUntil } from '../../support/wait-until.ts';

const service = useOwnRedisService(
  {
    TRUSTED_PROXY_HOPS: '1',
    LOG_LEVEL: 'trace',
    ACCESS_LOG: 'all',
    METRICS_TOKEN: 'token-of-the-metrics',
    BULL_BOARD_PASSWORD: 'password-of-the-board',
    RATE_LIMIT_PER_IP: '60',
    RATE_LIMIT_NOT_FOUND_PER_IP: '10',
    RATE_LIMIT_PER_KEY: '1000',
  },
  // Uncompressed files, so that a plain byte search finds everything that Redis writes.
  { appendonly: true, args: ['--rdbcompression', 'no'] },
);

const addresses = ['203.0.113.77', '2001:db8:cafe:beef:1234:5678:9abc:def0'];

/** The headers in which proxies and clients send a client address. */
const comingFrom = (address: string) => ({
  'x-forwarded-for': `${address}, ${address}`,
  forwarded: `for="${address.includes(':') ? `[${address}]` : address}"`,
  'x-real-ip': address,
  'cf-connecting-ip': address,
  'true-client-ip': address,
  'x-client-ip': address,
});

/** Sends from one address the requests of a visitor, an API client and an attacker. */
async function doEverything(address: string, key: string) {
  const from = comingFrom(address);
  const form = { ...from, 'content-type': 'application/x-www-form-urlencoded' };
  const visitor = createClient(service.web().baseUrl);
  const owner = createClient(service.web().baseUrl, key);
  const code = await createUrl(owner);
  const gated = await insertRestrictedUrl(service.database.db(), { password: 'secret' });
  const limited = await insertRestrictedUrl(service.database.db(), { maxClicks: 1 });
  const statuses = new Set<number>();
  const send = async (method: string, path: string, body?: unknown, headers = {}) =>
    statuses.add((await visitor.request(method, path, body, { ...from, ...headers })).status);

  for (let i = 0; i < 5; i++)
    await send('GET', `/${code}`, undefined, { 'user-agent': 'Mozilla/5.0 Firefox/130.0' });
  for (const path of [`/${code}+`, `/${gated}`, `/${limited}`, `/${limited}`, '/', '/robots.txt', '/docs'])
    await send('GET', path);
  await send('POST', `/${gated}`, 'password=secret', form);
  for (let i = 0; i < 7; i++) await send('POST', `/${gated}`, `password=wrong-${i}`, form);
  for (let i = 0; i < 11; i++) await send('POST', '/report', `short_code=${code}&reason=spam`, form);
  for (let i = 0; i < 12; i++) await send('GET', `/unknown-${i}`);
  for (const headers of [{}, { 'x-api-key': 'wrong' }, { authorization: 'Bearer wrong' }])
    await send('POST', '/api/v1/urls', { original_url: 'https://example.com/' }, headers);
  await send('GET', '/admin/queues', undefined, { authorization: 'Basic d3Jvbmc6d3Jvbmc=' });
  await send('GET', '/metrics', undefined, { authorization: 'Bearer wrong' });
  for (let i = 0; i < 60; i++) await send('GET', '/');

  const more = { ...from, 'idempotency-key': `key-of-${statuses.size}-${code}` };
  const made = await owner.post('/api/v1/urls', { original_url: 'https://example.com/made' }, more);
  await owner.request('POST', '/api/v1/urls', '{ malformed', from);
  await owner.get('/api/v1/urls?q=exa', from);
  await owner.patch(`/api/v1/urls/${code}`, { title: 'Changed' }, from);
  await importFile(createClient(service.web().baseUrl, key), `original_url\nhttps://example.com/${code}\n`);
  const raw = Object.entries(from).map(([name, value]) => `${name}: ${value}`);
  await sendRaw(
    service.web().baseUrl,
    ['GET / HTTP/1.1', 'Host: x', ...raw, 'no header', '', ''].join('\r\n'),
    {
      answers: 1,
    },
  );
  await sendRaw(service.web().baseUrl, ['GET http://[/ HTTP/1.1', 'Host: x', ...raw, '', ''].join('\r\n'), {
    answers: 1,
  });
  return { statuses, made: made.status };
}

test('PostgreSQL, Redis files and logs contain no client address in any notation', async () => {
  const { key } = await createApiKeys(service.database.db()).create('test');
  for (const address of addresses) {
    const { statuses, made } = await doEverything(address, key);
    expect([...statuses].toSorted((a, b) => a - b)).toEqual([200, 202, 301, 303, 401, 403, 404, 410, 429]);
    expect(made).toBe(201);
  }
  // After this wait, the details of each click are in PostgreSQL.
  await waitUntil('all clicks are counted', async () => {
    const { rows } = await service.database.db().raw('select sum(click_count)::int as clicks from url_stats');
    return rows[0].clicks === 2 * (5 + 1 + 1);
  });
  const client = openRedis('jobs', service.redis().url, silentLog);
  await client.save();
  client.disconnect();

  const tables = await readAllTables(service.database.db());
  const files = await readAllFiles(service.redis().dataDir);
  const places = new Map<string, Buffer>([
    ...[...tables].map(([name, rows]) => [`table ${name}`, Buffer.from(rows)] as const),
    ...[...files].map(([name, content]) => [`file ${name}`, content] as const),
    ['the log of the web process', Buffer.from(service.web().output())],
    ['the log of the worker process', Buffer.from(service.worker().output())],
  ]);
  const found = [...places].flatMap(([place, content]) =>
    findTraces(content, addresses).map((trace) => `${trace} in ${place}`),
  );
  expect(found).toEqual([]);

  // Guards against a search through empty files.
  expect([...places.keys()].filter((place) => /\.rdb|\.aof/.test(place)).length).toBeGreaterThan(1);
  expect(tables.get('public.clicks') ?? [...tables.values()].join('')).toContain('Firefox');
  expect(service.web().output()).toContain('/unknown-3');
});

test.each(addresses)('the search finds a stored address in every notation: %s', (address) => {
  for (const { trace, bytes } of tracesOf(address)) {
    const content = Buffer.concat([Buffer.from('before '), bytes, Buffer.from(' after')]);
    expect(findTraces(content, addresses)).toContain(`${address} as ${trace}`);
  }
});
