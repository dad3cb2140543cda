import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createApiKeys } from '../../src/api-keys/api-keys.ts';
import { closeRedis, openRedis } from '../../src/storage/redis/redis.ts';
import { type Client, createClient } from '../support/http/client.ts';
import { startWeb, startWorker, type TestProcess } from '../support/processes/processes.ts';
import { silentLog, track, uniquePrefix, useDatabase } from '../support/resources.ts';
import { administer } from '../support/services/databases.ts';
import { type Proxy, startProxy } from '../support/services/proxy.ts';
import { startTestRedis, type TestRedis } from '../support/services/servers.ts';
import { connectForeigner, type Foreigner } from '../support/urls/external.ts';
import { createUrl, insertUrls } from '../support/urls/urls.ts';
import { waitUntil } from '../support/wait-until.ts';

/** What is promised: another program's change is seen within this, and a deletion whatever happens to messages. */
const followMs = 1_000;
const deletionMs = 2_000;

const database = useDatabase();
const prefix = uniquePrefix();
let server: TestRedis;
let foreigner: Foreigner;
/** Two web processes; the first reaches Redis through the proxy. */
let here: Client;
/** All of them. */
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
  foreigner = await connectForeigner(database.url());
  closers.push(() => foreigner.leave());
  ({ key } = await createApiKeys(database.db()).create('test'));
  settings = { DATABASE_URL: database.url(), REDIS_URL: server.url, REDIS_PREFIX: prefix };
  const processes = await Promise.all([
    startWeb({ ...settings, REDIS_URL: `redis://127.0.0.1:${proxy.port}` }),
    startWeb(settings),
    startWorker(settings),
  ]);
  closers.push(async () => await Promise.all(processes.map((process) => process.stop())));
  here = createClient(processes[0].baseUrl, key);
  clients.push(here, createClient(processes[1].baseUrl, key));
  worker = processes[2];
  await waitUntil('all processes hear PostgreSQL', async () => (await countHearing()) === 3);
});

afterAll(async () => {
  for (const close of closers.toReversed()) await close();
});

async function countHearing(): Promise<number> {
  const hearing = database.db()('pg_stat_activity').whereRaw('datname = current_database()');
  return (await hearing.whereLike('application_name', 'linkmill-%-hearing')).length;
}

/** Where a code leads on each web process: an original URL, or a status. */
async function lookAt(code: string): Promise<string[]> {
  const answers = await Promise.all(clients.map((client) => client.get(`/${code}`)));
  return answers.map(({ status, headers }) => headers.get('location') ?? String(status));
}

/** Resolves when all web processes lead there; to the milliseconds that it took. */
async function timeUntil(code: string, where: string, timeoutMs = 10_000): Promise<number> {
  const start = performance.now();
  await waitUntil(
    `${code} leads to ${where}`,
    async () => (await lookAt(code)).every((place) => place === where),
    timeoutMs,
  );
  return performance.now() - start;
}

/** A short URL that all web processes and Redis know. */
async function createKnown(): Promise<string> {
  const code = await createUrl(here);
  for (let i = 0; i < 3; i++) expect(new Set(await lookAt(code))).toEqual(new Set([oldUrl]));
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
  await foreigner.run('update urls set original_url = $1 where short_code = $2', [newUrl, code]);

describe('within a second of the SQL of another program, every web process', () => {
  test('follows an update', async () => {
    const code = await createKnown();
    await change(code);
    expect(await timeUntil(code, newUrl)).toBeLessThan(followMs);
    await waitUntil('Redis knows', async () => (await readCached(code))?.includes(newUrl));
  });

  test('redirects a code that was unknown, and its clicks are counted', async () => {
    for (let i = 0; i < 3; i++) expect(await lookAt('foreign-1')).toEqual(['404', '404']);
    await foreigner.run(`insert into urls (short_code, original_url) values ('foreign-1', $1)`, [newUrl]);
    expect(await timeUntil('foreign-1', newUrl)).toBeLessThan(followMs);
    await waitUntil('both clicks are counted', async () => {
      const { body } = await here.get('/api/v1/urls/foreign-1');
      return Number(body['click_count']) >= 2;
    });
  });

  test('redirects no more what was deleted or disabled', async () => {
    const [deleted, disabled] = [await createKnown(), await createKnown()];
    await foreigner.run('update urls set is_active = false where short_code = $1', [disabled]);
    await foreigner.run('delete from urls where short_code = $1', [deleted]);
    const taken = await Promise.all([timeUntil(deleted, '404'), timeUntil(disabled, '404')]);
    expect(Math.max(...taken)).toBeLessThan(followMs);
    await waitUntil('Redis knows', async () => (await readCached(deleted))?.endsWith(':404'));
  });

  test('follows a code that is given to another short URL', async () => {
    const [code, other] = [await createKnown(), await createKnown()];
    await change(other);
    expect(await timeUntil(other, newUrl)).toBeLessThan(followMs);
    await foreigner.run(`begin; delete from urls where short_code = '${code}';
      update urls set short_code = '${code}' where short_code = '${other}'; commit`);
    const taken = await Promise.all([timeUntil(code, newUrl), timeUntil(other, '404')]);
    expect(Math.max(...taken)).toBeLessThan(followMs);
  });
});

test('a change of 20,000 short URLs at once is followed within 10 s', async () => {
  await insertUrls(database.db(), { begin: 'bulk-', count: 20_000 });
  const codes = Array.from({ length: 20 }, (_, i) => `bulk-${i * 1_000}`);
  for (const code of codes) await timeUntil(code, `https://example.com/${code}`);
  await foreigner.run(`update urls set original_url = $1 where short_code like 'bulk-%'`, [newUrl]);
  const taken = await Promise.all(codes.map((code) => timeUntil(code, newUrl)));
  expect(Math.max(...taken)).toBeLessThan(10_000);
});

test('what is changed while nobody hears PostgreSQL is followed once somebody does', async () => {
  const code = await createKnown();
  const allow = async (allowed: boolean) => {
    const name = new URL(database.url()).pathname.slice(1);
    await administer(inject('postgresUrl'), `alter database ${name} allow_connections ${allowed}`);
  };
  await allow(false);
  try {
    await waitUntil('nobody hears', async () => {
      await foreigner.run(`select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and application_name like 'linkmill-%-hearing'`);
      return (await countHearing()) === 0;
    });
    await change(code);
  } finally {
    await allow(true);
  }
  await timeUntil(code, newUrl);
  await waitUntil('all processes hear PostgreSQL', async () => (await countHearing()) === 3);
});

describe('a short URL that is deleted', () => {
  /** Deletes some while Redis is harmed. The first is asked for once the promised time is over; then, as soon as web processes
   *  reach Redis again while the worker cannot repair it, each web process is asked for one of its own; and the last not
   *  before the worker has told Redis. */
  async function judgeDeletion(harm: () => unknown, heal: () => unknown) {
    const codes = await Promise.all(Array.from({ length: 5 }, createKnown));
    await harm();
    for (const code of codes) expect((await here.delete(`/api/v1/urls/${code}`)).status).toBe(204);
    await delay(deletionMs);
    const met = await lookAt(codes[0]!);
    worker.signal('SIGSTOP');
    try {
      await heal();
      for (const [i, client] of clients.entries()) {
        const reaches = async () => (await readCached(await createUrl(client))) !== null;
        await waitUntil('the web process reaches Redis', reaches);
        met.push(String((await client.get(`/${codes[i + 1]}`)).status));
      }
    } finally {
      worker.signal('SIGCONT');
    }
    await waitUntil('the worker has told Redis', async () => (await readCached(codes[4]!))?.endsWith(':404'));
    for (const code of codes) met.push(...(await lookAt(code)));
    expect(new Set(met)).toEqual(new Set(['404']));
  }

  test('while Redis hangs does not come back, on any web process, when Redis goes on', async () => {
    await judgeDeletion(
      () => server.hang(),
      () => server.goOn(),
    );
  });

  test('by a web process that cannot reach Redis is gone on those that can', async () => {
    await judgeDeletion(
      async () => {
        await proxy.refuse();
        proxy.cut();
      },
      () => proxy.accept(),
    );
  });

  test('while Redis is away does not come back with what Redis had saved, nor on a web process that starts then', async () => {
    await judgeDeletion(
      () => server.kill(),
      async () => {
        const late = await startWeb(settings);
        closers.push(() => late.stop());
        clients.push(createClient(late.baseUrl, key));
        await waitUntil('it hears PostgreSQL', async () => (await countHearing()) === 4);
        await server.start();
      },
    );
  });
});
