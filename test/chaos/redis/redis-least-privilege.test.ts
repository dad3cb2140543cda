import { readFile } from 'node:fs/promises';
import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import { jobNames } from '../../../src/queues/jobs.ts';
import { createClient } from '../../support/http/client.ts';
import { runJob } from '../../support/jobs.ts';
import { startWeb, startWorker, type TestProcess } from '../../support/processes/processes.ts';
import { useDatabase } from '../../support/resources.ts';
import { startTestRedis } from '../../support/services/servers.ts';
import { createUrl } from '../../support/urls/urls.ts';
import { waitUntil } from '../../support/wait-until.ts';

const database = useDatabase();

/** The ACL rules that docs/operations.md gives the user of `REDIS_URL`. */
async function readDocumentedRights(): Promise<string[]> {
  const [, rights] =
    /^ACL SETUSER linkmill on >PASSWORD (.+)$/m.exec(await readFile('docs/operations.md', 'utf8')) ?? [];
  return rights!.split(' ');
}

test('the documented Redis rights suffice for redirects, counts, jobs and Bull Board', async () => {
  const server = await startTestRedis();
  const admin = new Redis(server.url);
  const processes: TestProcess[] = [];
  try {
    await admin.call('ACL', 'SETUSER', 'linkmill', 'on', '>secret', ...(await readDocumentedRights()));
    const board = { BULL_BOARD_USER: 'operator', BULL_BOARD_PASSWORD: 'a-long-password' };
    const settings = {
      DATABASE_URL: database.url(),
      REDIS_URL: `redis://linkmill:secret@${new URL(server.url).host}`,
      REDIS_PREFIX: 'linkmill',
      ...board,
    };
    const { key } = await createApiKeys(database.db()).create('test');
    const [web, other, worker] = await Promise.all([
      startWeb(settings),
      startWeb(settings),
      startWorker(settings),
    ]);
    processes.push(web, other, worker);
    const client = createClient(web.baseUrl, key);

    const code = await createUrl(client);
    for (let i = 0; i < 5; i++) expect((await client.get(`/${code}`)).status).toBe(301);
    await runJob(client, 'flush-clicks', { shard: 0 });
    await waitUntil('the clicks are counted', async () => {
      return (await client.get(`/api/v1/urls/${code}`)).body['click_count'] === 5;
    });
    await runJob(client, 'replenish-keys', { target: 100 });
    await runJob(client, 'reconcile-cache', { all: true });

    // The other process receives the change over the invalidation bus.
    const visitor = createClient(other.baseUrl, key);
    const { body } = await client.patch(`/api/v1/urls/${code}`, {
      original_url: 'https://example.com/changed',
    });
    await waitUntil('the redirect follows the change', async () => {
      return (await visitor.get(`/${code}`)).headers.get('location') === body['original_url'];
    });

    const authorization = `Basic ${btoa(`${board.BULL_BOARD_USER}:${board.BULL_BOARD_PASSWORD}`)}`;
    const queues = await fetch(`${web.baseUrl}/admin/queues/api/queues?jobsPerPage=10`, {
      headers: { authorization },
    });
    const shown = (await queues.json()) as { queues: { name: string; counts: unknown }[] };
    expect(shown.queues.map(({ name }) => name).toSorted()).toEqual([...jobNames].toSorted());

    const { conditions } = (await client.get('/health')).body as { conditions: { code: string }[] };
    expect(conditions.filter(({ code: one }) => one.startsWith('redis'))).toEqual([]);
    const ends = await Promise.all(processes.splice(0).map(async (one) => await one.stop()));
    expect(ends).toEqual([0, 0, 0]);
    // Redis denied no other command, not even one whose error a process ignores. Bull Board works without `CLIENT LIST`.
    const refused = (await admin.call('ACL', 'LOG')) as unknown[][];
    const objects = refused.map((entry) => entry[entry.indexOf('object') + 1]);
    expect(objects.filter((object) => object !== 'client|list')).toEqual([]);
  } finally {
    await Promise.all(processes.map(async (one) => await one.stop()));
    admin.disconnect();
    await server.stop();
  }
});
