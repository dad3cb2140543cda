import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createApiKeys } from '../../src/api-keys/api-keys.ts';
import { closeRedis, openRedis } from '../../src/storage/redis/redis.ts';
import { type Client, createClient } from '../support/http/client.ts';
import { startWeb, startWorker, type TestProcess } from '../support/processes/processes.ts';
import { type Proxy, startProxy } from '../support/proxy/proxy.ts';
import { silentLog, track, uniquePrefix, useDatabase } from '../support/resources.ts';
import { administer } from '../support/services/databases.ts';
import { startTestRedis, type TestRedis } from '../support/services/servers.ts';
import { connectExternalClient, type ExternalClient } from '../support/urls/external-client.ts';
import { createUrl, insertUrls } from '../support/urls/urls.ts';
import { waitUntil } from '../support/wait-until.ts';

/** The guarantees: an external change is applied within `followMs`, a deletion within `deletionMs` even if messages
 *  are lost. */
const followMs = 1_000;
const deletionMs = 2_000;

const database = useDatabase();
const prefix = uniquePrefix();
let server: TestRedis;
let external: ExternalClient;
/** The first of two web processes; it reaches Redis through the proxy. */
let web: Client;
/** Clients of all web processes. */
const clients: Client[] = [];
let settings: Record<string, string>;
let key: string;
let proxy: Proxy;
let worker: TestProcess;
const closers: (() => unknown)[] = [];

beforeAll(async () => {
  server = await startTestRedis({ appendonly: true });
  closers.push(track('Redis server'), () => server.stop());
  proxy = await startProxy(server.port);
  closers.push(() => proxy.close());
  external = await connectExternalClient(database.url());
  closers.push(() => external.close());
  ({ key } = await createApiKeys(database.db()).create('test'));
  settings = { DATABASE_URL: database.url(), REDIS_URL: server.url, REDIS_PREFIX: prefix };
  const processes = await Promise.all([
    startWeb({ ...settings, REDIS_URL: `redis://127.0.0.1:${proxy.port}` }),
    startWeb(settings),
    startWorker(settings),
  ]);
  closers.push(async () => await Promise.all(processes.map((process) => process.stop())));
  web = createClient(processes[0].baseUrl, key);
  clients.push(web, createClient(processes[1].baseUrl, key));
  worker = processes[2];
  await waitUntil('all processes listen to PostgreSQL', async () => (await countListeners()) === 3);
});

afterAll(async () => {
  for (const close of closers.toReversed()) await close();
});

async function countListeners(): Promise<number> {
  const sessions = database.db()('pg_stat_activity').whereRaw('datname = current_database()');
  return (await sessions.whereLike('application_name', 'linkmill-%-notifications')).length;
}

/** Returns the redirect target, or else the status, from each web process. */
async function visitAll(code: string): Promise<string[]> {
  const answers = await Promise.all(clients.map((client) => client.get(`/${code}`)));
  return answers.map(({ status, headers }) => headers.get('location') ?? String(status));
}

/** Resolves when all web processes answer with `target`; to the milliseconds that it took. */
async function timeUntil(code: string, target: string, timeoutMs = 10_000): Promise<number> {
  const start = performance.now();
  await waitUntil(
    `${code} is answered with ${target}`,
    async () => (await visitAll(code)).every((answer) => answer === target),
    timeoutMs,
  );
  return performance.now() - start;
}

/** Creates a short URL that Redis and all web processes have cached. */
async function createCached(): Promise<string> {
  const code = await createUrl(web);
  for (let i = 0; i < 3; i++) expect(new Set(await visitAll(code))).toEqual(new Set([oldUrl]));
  expect(await readCached(code)).toContain(oldUrl);
  return code;
}

const oldUrl = 'https://example.com/page';
const newUrl = 'https://example.com/new';

async function readCached(code: string): Promise<string | null> {
  const redis = openRedis('jobs', server.url, silentLog);
  const value = await redis.get(`${prefix}:url:${code}`);
  await closeRedis(redis);
  return value;
}

const change = async (code: string) =>
  await external.run('update urls set original_url = $1 where short_code = $2', [newUrl, code]);

describe('within a second of an external write, every web process', () => {
  test('follows an update', async () => {
    const code = await createCached();
    await change(code);
    expect(await timeUntil(code, newUrl)).toBeLessThan(followMs);
    await waitUntil('Redis has the change', async () => (await readCached(code))?.includes(newUrl));
  });

  test('redirects an inserted code that was cached as unknown, and counts its clicks', async () => {
    for (let i = 0; i < 3; i++) expect(await visitAll('external-1')).toEqual(['404', '404']);
    await external.run(`insert into urls (short_code, original_url) values ('external-1', $1)`, [newUrl]);
    expect(await timeUntil('external-1', newUrl)).toBeLessThan(followMs);
    await waitUntil('both clicks are counted', async () => {
      const { body } = await web.get('/api/v1/urls/external-1');
      return Number(body['click_count']) >= 2;
    });
  });

  test('stops redirecting deleted and disabled short URLs', async () => {
    const [deleted, disabled] = [await createCached(), await createCached()];
    await external.run('update urls set is_active = false where short_code = $1', [disabled]);
    await external.run('delete from urls where short_code = $1', [deleted]);
    const taken = await Promise.all([timeUntil(deleted, '404'), timeUntil(disabled, '404')]);
    expect(Math.max(...taken)).toBeLessThan(followMs);
    await waitUntil('Redis has the change', async () => (await readCached(deleted))?.endsWith(':404'));
  });

  test('follows a code that moves to another short URL', async () => {
    const [code, other] = [await createCached(), await createCached()];
    await change(other);
    expect(await timeUntil(other, newUrl)).toBeLessThan(followMs);
    await external.run(`begin; delete from urls where short_code = '${code}';
      update urls set short_code = '${code}' where short_code = '${other}'; commit`);
    const taken = await Promise.all([timeUntil(code, newUrl), timeUntil(other, '404')]);
    expect(Math.max(...taken)).toBeLessThan(followMs);
  });
});

test('a change of 20,000 short URLs at once is followed within 10 s', async () => {
  await insertUrls(database.db(), { begin: 'bulk-', count: 20_000 });
  const codes = Array.from({ length: 20 }, (_, i) => `bulk-${i * 1_000}`);
  for (const code of codes) await timeUntil(code, `https://example.com/${code}`);
  await external.run(`update urls set original_url = $1 where short_code like 'bulk-%'`, [newUrl]);
  const taken = await Promise.all(codes.map((code) => timeUntil(code, newUrl)));
  expect(Math.max(...taken)).toBeLessThan(10_000);
});

test('a change while no process is connected to PostgreSQL is followed after the reconnect', async () => {
  const code = await createCached();
  const allow = async (allowed: boolean) => {
    const name = new URL(database.url()).pathname.slice(1);
    await administer(inject('postgresUrl'), `alter database ${name} allow_connections ${allowed}`);
  };
  await allow(false);
  try {
    await waitUntil('no process listens to PostgreSQL', async () => {
      await external.run(`select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and application_name like 'linkmill-%-notifications'`);
      return (await countListeners()) === 0;
    });
    await change(code);
  } finally {
    await allow(true);
  }
  await timeUntil(code, newUrl);
  await waitUntil('all processes listen to PostgreSQL', async () => (await countListeners()) === 3);
});

describe('a deleted short URL', () => {
  /** Deletes short URLs during a fault. Checks the first after the guaranteed time; then, once Redis is reachable and
   *  while the worker is stopped, one per web process; and the last after the worker has repaired Redis. */
  async function expectDeletion(fail: () => unknown, recover: () => unknown) {
    const codes = await Promise.all(Array.from({ length: 5 }, createCached));
    await fail();
    for (const code of codes) expect((await web.delete(`/api/v1/urls/${code}`)).status).toBe(204);
    await delay(deletionMs);
    const answers = await visitAll(codes[0]!);
    worker.signal('SIGSTOP');
    try {
      await recover();
      for (const [i, client] of clients.entries()) {
        const reaches = async () => (await readCached(await createUrl(client))) !== null;
        await waitUntil('the web process reaches Redis', reaches);
        answers.push(String((await client.get(`/${codes[i + 1]}`)).status));
      }
    } finally {
      worker.signal('SIGCONT');
    }
    await waitUntil('the worker has repaired Redis', async () =>
      (await readCached(codes[4]!))?.endsWith(':404'),
    );
    for (const code of codes) answers.push(...(await visitAll(code)));
    expect(new Set(answers)).toEqual(new Set(['404']));
  }

  test('stays deleted when Redis resumes after it hung during the deletion', async () => {
    await expectDeletion(
      () => server.hang(),
      () => server.resume(),
    );
  });

  test('answers 404 in every process although the deleting process cannot reach Redis', async () => {
    await expectDeletion(
      async () => {
        await proxy.refuse();
        proxy.cut();
      },
      () => proxy.accept(),
    );
  });

  test('stays deleted when Redis restarts with older data, even in a new process', async () => {
    await expectDeletion(
      () => server.kill(),
      async () => {
        const lateProcess = await startWeb(settings);
        closers.push(() => lateProcess.stop());
        clients.push(createClient(lateProcess.baseUrl, key));
        await waitUntil('the late process listens to PostgreSQL', async () => (await countListeners()) === 4);
        await server.start();
      },
    );
  });
});
