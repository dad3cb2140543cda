import pino from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import { createChangeLog } from '../../../src/urls/changes/change-log.ts';
import { listenForChanges } from '../../../src/urls/changes/postgres-bus.ts';
import { createUrlCleanupStore } from '../../../src/urls/store/cleanup-store.ts';
import { createUrlStore } from '../../../src/urls/store/url-store.ts';
import { type Proxy, startProxy } from '../../support/proxy/proxy.ts';
import { track, useDatabase } from '../../support/resources.ts';
import { connectExternalClient, type ExternalClient } from '../../support/urls/external-client.ts';
import { insertUrls } from '../../support/urls/urls.ts';
import { waitUntil } from '../../support/wait-until.ts';

const database = useDatabase();
let external: ExternalClient;
let proxy: Proxy;
/** Received events, in order. */
let events: string[];
/** Logged warnings. */
let warnings: string[];
let stop: () => Promise<void>;

beforeAll(async () => {
  external = await connectExternalClient(database.url());
  proxy = await startProxy(Number(new URL(database.url()).port));
});

afterAll(async () => {
  await external.close();
  await proxy.close();
});

beforeEach(async () => {
  await database.db().raw('truncate urls cascade');
  events = [];
  warnings = [];
  const url = new URL(database.url());
  url.port = String(proxy.port);
  const stopped = track('listener');
  const stopListening = listenForChanges({
    url: url.href,
    name: 'test-listener',
    listener: {
      onChange: (shortCode, version) => events.push(`${shortCode} ${version}`),
      onManyChanges: () => events.push('many'),
      onConnected: () => events.push('connected'),
      onDisconnected: () => events.push('disconnected'),
    },
    log: pino({ level: 'warn' }, { write: (line: string) => void warnings.push(line) }),
  });
  stop = async () => {
    await stopListening();
    stopped();
  };
  await waitUntil('the listener is connected', () => events.includes('connected'));
  events = [];
});

afterEach(async () => {
  await stop();
});

test('the first attempt succeeds', () => {
  expect(warnings).toEqual([]);
});

/** Returns all events of the changes committed so far, sorted. */
async function readEvents(): Promise<string[]> {
  await createChangeLog(database.db()).notify([{ shortCode: 'the-end', version: 1 }]);
  await waitUntil('the last notification is received', () => events.includes('the-end 1'));
  return events.filter((one) => one !== 'the-end 1').sort();
}

const insert = async (...codes: string[]) =>
  await external.run(
    `insert into urls (short_code, original_url)
     select code, 'https://example.com/' || code from unnest(cast($1 as text[])) as code`,
    [codes],
  );

/** Versions by short code. */
async function readVersions(): Promise<Record<string, number>> {
  const rows = await database.db()('urls').select('short_code', 'version');
  return Object.fromEntries(rows.map((row) => [row.short_code as string, row.version as number]));
}

const readRemovals = async () => Object.fromEntries(await createRemovals()) as Record<string, number>;
const createRemovals = async () =>
  await createChangeLog(database.db()).findRemovals(['code-1', 'code-2', 'code-3']);

describe('an external write', () => {
  test('that inserts is published with its versions', async () => {
    await insert('code-1', 'code-2');
    const versions = await readVersions();
    expect(await readEvents()).toEqual([`code-1 ${versions['code-1']}`, `code-2 ${versions['code-2']}`]);
  });

  test('that inserts creates counters, so that clicks are counted', async () => {
    await insert('code-1');
    expect(await createUrlStore(database.db()).findWithClicks('code-1', null)).toMatchObject({
      clickCount: 0,
    });
  });

  test('that updates is published with a higher version and gets a new update time', async () => {
    await insert('code-1');
    const before = await readVersions();
    await external.run(`update urls set original_url = 'https://example.com/changed', updated_at = 'epoch'`);
    const after = await readVersions();
    expect(after['code-1']).toBeGreaterThan(before['code-1']!);
    expect(await readEvents()).toEqual([`code-1 ${before['code-1']}`, `code-1 ${after['code-1']}`]);
    const [row] = await database.db()('urls').select('updated_at');
    expect(Date.now() - (row.updated_at as Date).getTime()).toBeLessThan(60_000);
  });

  test('that lowers the version still raises it', async () => {
    await insert('code-1');
    const before = await readVersions();
    await external.run('update urls set is_active = false, version = 1');
    expect((await readVersions())['code-1']).toBeGreaterThan(before['code-1']!);
  });

  test('that changes nothing keeps the version', async () => {
    await insert('code-1');
    const before = await readVersions();
    await external.run('update urls set original_url = original_url');
    expect(await readVersions()).toEqual(before);
  });

  test('that deletes is published with a version between those of the old and the new row', async () => {
    await insert('code-1');
    const first = (await readVersions())['code-1']!;
    await external.run('delete from urls');
    await insert('code-1');
    const second = (await readVersions())['code-1']!;
    const { 'code-1': removed } = await readRemovals();
    expect(removed).toBe(first + 1);
    expect(second).toBeGreaterThan(removed!);
    expect(await readEvents()).toEqual([`code-1 ${first}`, `code-1 ${removed}`, `code-1 ${second}`].sort());
  });

  test('that changes a code records the removal of the old code', async () => {
    await insert('code-1');
    const first = (await readVersions())['code-1']!;
    await external.run(`update urls set short_code = 'code-3'`);
    const versions = await readVersions();
    expect(await readRemovals()).toEqual({ 'code-1': first + 1 });
    expect(await readEvents()).toEqual(
      [`code-1 ${first}`, `code-1 ${first + 1}`, `code-3 ${versions['code-3']}`].sort(),
    );
  });

  test('that restores a row with its old version gets one above its removal', async () => {
    await insert('code-1', 'code-2');
    const old = await readVersions();
    await external.run(`delete from urls where short_code = 'code-1'`);
    await external.run('truncate urls cascade');
    for (const code of ['code-1', 'code-2']) {
      await external.run(
        `insert into urls (short_code, original_url, version) values ($1, 'https://example.com/', $2)`,
        [code, old[code]],
      );
    }
    const { '*': removed } = (await readRemovals()) as { '*': number };
    const restored = await readVersions();
    expect(Math.min(...Object.values(restored))).toBeGreaterThan(removed);
    expect(await readEvents()).toEqual(
      expect.arrayContaining([`code-1 ${restored['code-1']}`, `code-2 ${restored['code-2']}`]),
    );
  });

  test('of up to 10,000 rows is published row by row, and of more as many changes', async () => {
    await insertUrls(database.db(), { begin: 'bulk-', count: 10_001 });
    await external.run(`update urls set is_active = false where short_code <> 'bulk-0'`);
    const published = await readEvents();
    expect(new Set(published)).toEqual(
      new Set(
        Object.entries(await readVersions())
          .filter(([code]) => code !== 'bulk-0')
          .map(([code, version]) => `${code} ${version}`),
      ),
    );
    expect(published).toHaveLength(10_000);
    events = [];
    await external.run(`update urls set original_url = 'https://example.com/changed'`);
    expect(await readEvents()).toEqual(['many']);
    events = [];
    await external.run('delete from urls');
    expect(await readEvents()).toEqual(['many']);
  });

  test('that truncates is published as many changes', async () => {
    await external.run('truncate urls cascade');
    expect(await readEvents()).toEqual(['many']);
  });

  test('that is rolled back is not published', async () => {
    await insert('code-1');
    await readEvents();
    events = [];
    await external.run(`begin; update urls set is_active = false; delete from urls; rollback`);
    expect(await readEvents()).toEqual([]);
  });

  test('of an invalid short code is not published', async () => {
    await insert('code-1', 'not a code', 'code/2', '100%', 'x'.repeat(9_000));
    expect(await readEvents()).toEqual([`code-1 ${(await readVersions())['code-1']}`]);
  });

  test('needs rights on the table only', async () => {
    const role = `stranger_${process.pid}`;
    await external.run(`create role ${role}; grant select, insert, update, delete, truncate on urls to ${role};
      grant truncate on url_stats, url_usage to ${role}`);
    try {
      await external.run(`set role ${role}`);
      await insert('code-1', 'code-2');
      await external.run(`update urls set short_code = 'code-3' where short_code = 'code-2'`);
      await external.run('delete from urls');
      await external.run('truncate urls cascade');
    } finally {
      await external.run(`reset role; drop owned by ${role}; drop role ${role}`);
    }
    expect(await readRemovals()).toEqual({
      'code-1': expect.any(Number),
      'code-2': expect.any(Number),
      'code-3': expect.any(Number),
      '*': expect.any(Number),
    });
    expect((await readEvents()).length).toBeGreaterThan(5);
  });

  test('does not allow the trigger functions to be used on other tables', async () => {
    const role = `trickster_${process.pid}`;
    await external.run(`create role ${role}; create schema authorization ${role}`);
    try {
      await external.run(`set role ${role}; create table ${role}.mine (short_code text, version bigint)`);
      const trick =
        external.run(`create trigger trick after delete on ${role}.mine referencing old table as deleted
        execute function notify_deleted_urls()`);
      await expect(trick).rejects.toThrow('permission denied for function notify_deleted_urls');
    } finally {
      await external.run(`reset role; drop schema ${role} cascade; drop role ${role}`);
    }
  });
});

test("Linkmill's own writes are not published by triggers", async () => {
  const store = createUrlStore(database.db());
  const base = { originalUrl: 'https://example.com/', codeIsGenerated: true };
  const { id: createdBy } = await createApiKeys(database.db()).create('own');
  await store.insertMany([
    { ...base, shortCode: 'code-1', expiresAt: null, createdBy },
    { ...base, shortCode: 'code-2', expiresAt: new Date(Date.now() - 1_000), createdBy },
  ]);
  expect(await store.delete('code-1', null)).toBeDefined();
  const cleanupStore = createUrlCleanupStore(database.db());
  expect(await cleanupStore.disableExpired(new Date(), 10)).toHaveLength(1);
  expect(await cleanupStore.purge(new Date(), 0, 0, 10)).toBe(2);
  expect(await readEvents()).toEqual([]);
});

describe('a listener', () => {
  test('reconnects after its connection was terminated', async () => {
    await database
      .db()
      .raw(
        `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'linkmill-test-listener'`,
      );
    await waitUntil('the listener has reconnected', () => events.includes('connected'), 3_000);
    await insert('code-1');
    expect(await readEvents()).toContain(`code-1 ${(await readVersions())['code-1']}`);
  });

  test('reconnects once PostgreSQL accepts connections again', async () => {
    await proxy.refuse();
    proxy.cut();
    await waitUntil('the listener is disconnected', () => proxy.connections === 0);
    await proxy.accept();
    await waitUntil('the listener has reconnected', () => events.includes('connected'), 3_000);
  });

  test('abandons a half-open connection within 5 s', async () => {
    proxy.goHalfOpen();
    await waitUntil('the listener has reconnected', () => events.includes('connected'), 5_000);
    await insert('code-1');
    expect(await readEvents()).toContain(`code-1 ${(await readVersions())['code-1']}`);
  });
});
