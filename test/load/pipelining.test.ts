import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, inject, test } from 'vitest';
import { createApiKeys } from '../../src/api-keys/api-keys.ts';
import { createClient } from '../support/http/client.ts';
import { commandOf, launch, placeWeb, readyWeb, type TestProcess } from '../support/processes/launch.ts';
import { storeSettings, track, useDatabase, useRedis } from '../support/resources.ts';
import { createUrl } from '../support/urls/urls.ts';

/** Memory grows most in the first second of a flood. The default process is flooded for longer, in case it still grows. */
const floodMs = { short: 3_000, long: 8_000 };
const attackers = 10;
/** Twelve floods of one process take up to 280 MB on Node 20: `src/web/heap-limits.ts` limits the heap. */
const maxRssMb = 400;
/** The longest wait of a bystander, times the slowness of the machine at the start; the measured latencies are printed. */
const maxWaitMs = 5_000 * Number(process.env['TEST_SLOWNESS']);

const flood = fileURLToPath(new URL('../support/processes/flood.ts', import.meta.url));
const database = useDatabase();
const redis = useRedis();
const host = 'Host: short.example\r\n';

/** A web process with the default limits, started as an operator starts it. */
async function startWeb({ nodeArgs = [], maxFiles }: { nodeArgs?: string[]; maxFiles?: number }) {
  const { key } = await createApiKeys(database.db()).create('test');
  const settings = await placeWeb({
    ...storeSettings(database, redis),
    METRICS_PUBLIC: 'true',
    RATE_LIMIT_NOT_FOUND_PER_IP: '120',
    RATE_LIMIT_PER_IP: '600',
    RATE_LIMIT_PER_KEY: '6000',
  });
  const command = [...nodeArgs, ...commandOf(inject('buildFolder'), 'src/web.js')];
  const web = launch(command, settings, track('web process'), { maxFiles });
  const ready = await readyWeb(web, settings);
  return { ...ready, key, client: createClient(ready.baseUrl, key) };
}

type Web = Awaited<ReturnType<typeof startWeb>>;

/** Starts clients in a separate process, so that they do not delay the bystander in this one. */
const attack = ({ baseUrl }: Web, bytes: string, { reads }: { reads: boolean }) =>
  launch(
    ['--import', 'tsx', flood],
    {
      TARGET: new URL(baseUrl).host,
      REQUEST: bytes,
      CONNECTIONS: String(attackers),
      READS: String(reads),
    },
    track('flood'),
  );

/** Sends requests in sequence, each on a new connection; resolves to their latencies in milliseconds. */
async function visit(url: string, signal: AbortSignal): Promise<number[]> {
  const agent = new Agent({ keepAlive: false });
  const latencies: number[] = [];
  while (!signal.aborted) {
    const start = performance.now();
    const status = await new Promise<number | string>((resolve) => {
      const sent = request(url, { agent, timeout: 30_000 }, (response) => {
        response.resume();
        response.on('end', () => resolve(response.statusCode ?? 0));
      });
      sent.on('timeout', () => sent.destroy(new Error('timeout')));
      sent.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
      sent.end();
    });
    expect(status).toBe(301);
    latencies.push(performance.now() - start);
    await delay(20);
  }
  return latencies;
}

async function watchRss(pid: number, signal: AbortSignal): Promise<number> {
  let max = 0;
  while (!signal.aborted) {
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    max = Math.max(max, Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1_024);
    await delay(100);
  }
  return max;
}

const percentile = (values: number[], share: number) =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))]!;

async function assertBystanderServed(
  web: Web,
  code: string,
  { what, ms, start }: { what: string; ms: number; start: () => TestProcess },
) {
  const ending = new AbortController();
  const flooding = start();
  setTimeout(() => ending.abort(), ms);
  const watched = Promise.all([
    visit(`${web.baseUrl}/${code}`, ending.signal),
    watchRss(web.pid, ending.signal),
  ]);
  await watched.then(flooding.stop, flooding.stop);
  const [latencies, rss] = await watched;
  const [p50, p99, max] = [0.5, 0.99, 1].map((share) => Math.round(percentile(latencies, share)));
  process.stdout.write(
    `${what}: bystander p50 ${p50} ms, p99 ${p99} ms, max ${max} ms of ${latencies.length}; RSS ${Math.round(rss)} MB\n`,
  );
  expect(rss).toBeLessThan(maxRssMb);
  expect(max).toBeLessThan(maxWaitMs);
  expect((await createClient(web.baseUrl).get('/health/live')).status).toBe(200);
}

const floods: [string, (web: Web, code: string) => string][] = [
  ['known codes', (_, code) => `GET /${code} HTTP/1.1\r\n${host}\r\n`],
  ['unknown codes', () => `GET /zzzzzzz HTTP/1.1\r\n${host}\r\n`],
  ['the API', ({ key }) => `GET /api/v1/urls HTTP/1.1\r\n${host}x-api-key: ${key}\r\n\r\n`],
  ['the API without a key', () => `GET /api/v1/urls HTTP/1.1\r\n${host}\r\n`],
  ['health', () => `GET /health HTTP/1.1\r\n${host}\r\n`],
  ['a page', () => `GET /report HTTP/1.1\r\n${host}\r\n`],
];

describe.each<[string, number, Parameters<typeof startWeb>[0]]>([
  ['with the default heap', floodMs.long, {}],
  ['with a heap of 256 MB', floodMs.short, { nodeArgs: ['--max-old-space-size=256'] }],
  ['with 256 open files', floodMs.short, { maxFiles: 256 }],
])('a web process %s', (name, ms, how) => {
  test('answers a bystander during pipelined floods and limits its memory', async () => {
    const web = await startWeb(how);
    try {
      const code = await createUrl(web.client);
      for (const [what, bytesOf] of floods) {
        for (const reads of [true, false]) {
          const bytes = bytesOf(web, code);
          await assertBystanderServed(web, code, {
            what: `${name}, ${what}, ${reads ? 'read' : 'not read'}`,
            ms,
            start: () => attack(web, bytes, { reads }),
          });
        }
      }
    } finally {
      expect(await web.stop()).toBe(0);
    }
  });
});
