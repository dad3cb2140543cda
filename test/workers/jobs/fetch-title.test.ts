import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import { createBlockedHosts } from '../../../src/urls/blocklist/blocklist.ts';
import { createBlockedHostStore } from '../../../src/urls/blocklist/store.ts';
import { createPageReader } from '../../../src/urls/titles/page-reader.ts';
import { createTitleStore } from '../../../src/urls/titles/title-store.ts';
import { fetchTitle } from '../../../workers/jobs/urls/fetch-title.ts';
import { createClient } from '../../support/http/client.ts';
import { createJobContext } from '../../support/job-context.ts';
import { startWeb, startWorker } from '../../support/processes/processes.ts';
import { storeSettings, track, useDatabase, useRedis } from '../../support/resources.ts';
import { waitUntil } from '../../support/wait-until.ts';

const database = useDatabase();
const redis = useRedis();
let server: Server;
let closed: () => void;
/** Runs between the request for a page and its answer. */
let onRequest: () => Promise<unknown>;
let requested = 0;
const page = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/page`;

beforeAll(async () => {
  closed = track('page');
  server = createServer((_request, response) => {
    requested += 1;
    response.setHeader('content-type', 'text/html');
    void onRequest().then(() => response.end('<title>Title of the page</title>'));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
  closed();
});
beforeEach(() => {
  requested = 0;
  onRequest = async () => undefined;
});

const urls = () => database.db()('urls');
let created = 0;
async function createUrl(columns: Record<string, unknown> = {}): Promise<number> {
  const [row] = await urls()
    .insert({ short_code: `title-${created++}`, original_url: page(), ...columns })
    .returning('id');
  return Number(row.id);
}
const titleOf = async (id: number) => (await urls().where({ id }).first('title'))!.title as string | null;

/** Runs the job with a reader that may connect to this machine. */
async function run(id: number, context = createJobContext()) {
  const blockedHosts = createBlockedHosts({ store: createBlockedHostStore(database.db()) });
  const refreshed: string[] = [];
  const summary = await fetchTitle(
    {
      titleStore: createTitleStore(database.db()),
      blockedHosts,
      readPage: createPageReader({ isBlocked: blockedHosts.isBlocked, isAllowedAddress: () => true }),
      refreshCache: async (codes) => refreshed.push(...codes),
    },
    id,
    context,
  );
  return { summary, refreshed };
}

test('a short URL without a title gets that of its page, which a search finds', async () => {
  const id = await createUrl();
  const before = await urls().where({ id }).first('version', 'short_code');
  expect(await run(id)).toEqual({ summary: { outcome: 'set' }, refreshed: [before!.short_code] });
  const after = await urls().where({ id }).first('title', 'version', 'search_text');
  expect(after!.title).toBe('Title of the page');
  expect(Number(after!.version)).toBeGreaterThan(Number(before!.version));
  expect(after!.search_text).toContain('title of the page');
  expect((await run(id)).summary).toEqual({ outcome: 'not_needed' });
  expect(requested).toBe(1);
});

test('what somebody has changed while the page was read stays', async () => {
  for (const change of [
    { title: 'Typed' },
    { original_url: 'https://example.com/elsewhere' },
    { deleted_at: new Date(), is_active: false },
  ]) {
    const id = await createUrl();
    onRequest = async () => await urls().where({ id }).update(change);
    expect(await run(id)).toEqual({ summary: { outcome: 'changed_meanwhile' }, refreshed: [] });
    expect(await titleOf(id)).toBe(change.title ?? null);
  }
  const id = await createUrl();
  onRequest = async () => await urls().where({ id }).update({ notes: 'typed' });
  expect((await run(id)).summary).toEqual({ outcome: 'set' });
  expect(await urls().where({ id }).first('title', 'notes')).toEqual({
    title: 'Title of the page',
    notes: 'typed',
  });
});

test('protected, disabled and deleted short URLs, and those with a title, are not opened', async () => {
  for (const columns of [
    { title: 'Mine' },
    { password_hash: 'x' },
    { is_one_time: true },
    { is_active: false },
    { is_active: false, deleted_at: new Date() },
  ])
    expect((await run(await createUrl(columns))).summary).toEqual({ outcome: 'not_needed' });
  expect((await run(2_000_000)).summary).toEqual({ outcome: 'not_needed' });
  expect(requested).toBe(0);
});

test('a blocked host is not opened, also if it was blocked after the create', async () => {
  const id = await createUrl();
  await database.db()('blocked_hosts').insert({ host: '127.0.0.1' });
  expect((await run(id)).summary).toEqual({ outcome: 'blocked' });
  await database.db()('blocked_hosts').delete();
  expect(requested).toBe(0);
});

test('a job that is interrupted leaves the rest to the next run', async () => {
  const id = await createUrl();
  const context = createJobContext();
  onRequest = async () => context.stop();
  expect((await run(id, context)).summary).toEqual({ interrupted: true });
  onRequest = async () => undefined;
  expect((await run(id)).summary).toEqual({ outcome: 'set' });
});

test('a create without a title requests the job if titles are fetched, and no page of this machine is opened', async () => {
  const { key } = await createApiKeys(database.db()).create('test');
  const stores = storeSettings(database, redis);
  const settings = { ...stores, ALLOW_PRIVATE_URLS: 'true' };
  const read = async (client: ReturnType<typeof createClient>) => {
    const { items } = (await client.get('/api/v1/queues')).body;
    return (items as { name: string; last_run: { result: unknown } | null }[]).find(
      ({ name }) => name === 'fetch-title',
    )!;
  };
  const off = await startWeb(settings);
  const on = await startWeb({ ...settings, FETCH_TITLES: 'true' });
  const worker = await startWorker({ ...settings, FETCH_TITLES: 'true' });
  try {
    const [client, other] = [createClient(on.baseUrl, key), createClient(off.baseUrl, key)];
    expect((await other.post('/api/v1/urls', { original_url: page() })).status).toBe(201);
    expect((await client.post('/api/v1/urls', { original_url: page(), title: 'Mine' })).status).toBe(201);
    const answer = await client.post('/api/v1/urls', { original_url: page() });
    expect([answer.status, answer.body['title']]).toEqual([201, null]);
    const queue = await waitUntil('the job has run', async () => {
      const state = await read(client);
      return state.last_run !== null && state;
    });
    expect(queue.last_run!.result).toEqual({ outcome: 'address' });
    const jobs = await redis.redis().get(`{${redis.prefix}:fetch-title}:fetch-title:id`);
    expect([jobs, requested]).toEqual(['1', 0]);
  } finally {
    for (const one of [worker, on, off]) await one.stop();
  }
});
