import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import { createChangeLog } from '../../../src/urls/changes/change-log.ts';
import { listenForChanges } from '../../../src/urls/changes/postgres-bus.ts';
import { createUrlCleanupStore } from '../../../src/urls/store/cleanup-store.ts';
import { createUrlStore } from '../../../src/urls/store/url-store.ts';
import { silentLog, track, useDatabase } from '../../support/resources.ts';
import { type Proxy, startProxy } from '../../support/services/proxy.ts';
import { connectForeigner, type Foreigner } from '../../support/urls/external.ts';
import { insertUrls } from '../../support/urls/urls.ts';
import { waitUntil } from '../../support/wait-until.ts';

const database = useDatabase();
let foreigner: Foreigner;
let proxy: Proxy;
/** What was heard, in order. */
let heard: string[];
let stop: () => Promise<void>;

beforeAll(async () => {
  foreigner = await connectForeigner(database.url());
  proxy = await startProxy(Number(new URL(database.url()).port));
});

afterAll(async () => {
  await foreigner.leave();
  await proxy.close();
});

beforeEach(async () => {
  await database.db().raw('truncate urls cascade');
  heard = [];
  const url = new URL(database.url());
  url.port = String(proxy.port);
  const stopped = track('listener');
  const end = listenForChanges({
    url: url.href,
    name: 'test-hearing',
    listener: {
      onChange: (shortCode, version) => heard.push(`${shortCode} ${version}`),
      onManyChanges: () => heard.push('many'),
      onConnected: () => heard.push('hears'),
    },
    log: silentLog,
  });
  stop = async () => {
    await end();
    stopped();
  };
  await waitUntil('it hears', () => heard.includes('hears'));
  heard = [];
});

afterEach(async () => {
  await stop();
});

/** All that was heard of what was committed until now, sorted. */
async function hearAll(): Promise<string[]> {
  await createChangeLog(database.db()).notify([{ shortCode: 'the-end', version: 1 }]);
  await waitUntil('the last notification is heard', () => heard.includes('the-end 1'));
  return heard.filter((one) => one !== 'the-end 1').sort();
}

const insert = async (...codes: string[]) =>
  await foreigner.run(
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

describe('what another program does to the table', () => {
  test('an insert is told with its versions', async () => {
    await insert('code-1', 'code-2');
    const versions = await readVersions();
    expect(await hearAll()).toEqual([`code-1 ${versions['code-1']}`, `code-2 ${versions['code-2']}`]);
  });

  test('an insert gets counters, so that clicks are counted', async () => {
    await insert('code-1');
    expect(await createUrlStore(database.db()).findWithClicks('code-1', null)).toMatchObject({
      clickCount: 0,
    });
  });

  test('an update is told with a version that is higher than before, and is dated', async () => {
    await insert('code-1');
    const before = await readVersions();
    await foreigner.run(`update urls set original_url = 'https://example.com/changed', updated_at = 'epoch'`);
    const after = await readVersions();
    expect(after['code-1']).toBeGreaterThan(before['code-1']!);
    expect(await hearAll()).toEqual([`code-1 ${before['code-1']}`, `code-1 ${after['code-1']}`]);
    const [row] = await database.db()('urls').select('updated_at');
    expect(Date.now() - (row.updated_at as Date).getTime()).toBeLessThan(60_000);
  });

  test('a version that another program sets back is raised all the same', async () => {
    await insert('code-1');
    const before = await readVersions();
    await foreigner.run('update urls set is_active = false, version = 1');
    expect((await readVersions())['code-1']).toBeGreaterThan(before['code-1']!);
  });

  test('an update that changes nothing leaves the version as it is', async () => {
    await insert('code-1');
    const before = await readVersions();
    await foreigner.run('update urls set original_url = original_url');
    expect(await readVersions()).toEqual(before);
  });

  test('a deletion is told with a version above the last one, and below any that the code gets again', async () => {
    await insert('code-1');
    const first = (await readVersions())['code-1']!;
    await foreigner.run('delete from urls');
    await insert('code-1');
    const second = (await readVersions())['code-1']!;
    const { 'code-1': removed } = await readRemovals();
    expect(removed).toBe(first + 1);
    expect(second).toBeGreaterThan(removed!);
    expect(await hearAll()).toEqual([`code-1 ${first}`, `code-1 ${removed}`, `code-1 ${second}`].sort());
  });

  test('a short URL that gets another code leaves its old one removed', async () => {
    await insert('code-1');
    const first = (await readVersions())['code-1']!;
    await foreigner.run(`update urls set short_code = 'code-3'`);
    const versions = await readVersions();
    expect(await readRemovals()).toEqual({ 'code-1': first + 1 });
    expect(await hearAll()).toEqual(
      [`code-1 ${first}`, `code-1 ${first + 1}`, `code-3 ${versions['code-3']}`].sort(),
    );
  });

  test('a short URL that is restored with its old version gets one above its removal', async () => {
    await insert('code-1', 'code-2');
    const old = await readVersions();
    await foreigner.run(`delete from urls where short_code = 'code-1'`);
    await foreigner.run('truncate urls cascade');
    for (const code of ['code-1', 'code-2']) {
      await foreigner.run(
        `insert into urls (short_code, original_url, version) values ($1, 'https://example.com/', $2)`,
        [code, old[code]],
      );
    }
    const { '*': removed } = (await readRemovals()) as { '*': number };
    const restored = await readVersions();
    expect(Math.min(...Object.values(restored))).toBeGreaterThan(removed);
    expect(await hearAll()).toEqual(
      expect.arrayContaining([`code-1 ${restored['code-1']}`, `code-2 ${restored['code-2']}`]),
    );
  });

  test('up to 10,000 short URLs are told one by one, and more as many', async () => {
    await insertUrls(database.db(), { begin: 'bulk-', count: 10_001 });
    await foreigner.run(`update urls set is_active = false where short_code <> 'bulk-0'`);
    const told = await hearAll();
    expect(new Set(told)).toEqual(
      new Set(
        Object.entries(await readVersions())
          .filter(([code]) => code !== 'bulk-0')
          .map(([code, version]) => `${code} ${version}`),
      ),
    );
    expect(told).toHaveLength(10_000);
    heard = [];
    await foreigner.run(`update urls set original_url = 'https://example.com/changed'`);
    expect(await hearAll()).toEqual(['many']);
    heard = [];
    await foreigner.run('delete from urls');
    expect(await hearAll()).toEqual(['many']);
  });

  test('a TRUNCATE is told as many', async () => {
    await foreigner.run('truncate urls cascade');
    expect(await hearAll()).toEqual(['many']);
  });

  test('what is rolled back is told to nobody', async () => {
    await insert('code-1');
    await hearAll();
    heard = [];
    await foreigner.run(`begin; update urls set is_active = false; delete from urls; rollback`);
    expect(await hearAll()).toEqual([]);
  });

  test('a code that no visitor can ask for is not told', async () => {
    await insert('code-1', 'not a code', 'code/2', '100%', 'x'.repeat(9_000));
    expect(await hearAll()).toEqual([`code-1 ${(await readVersions())['code-1']}`]);
  });

  test('rights on the table alone are enough', async () => {
    const role = `stranger_${process.pid}`;
    await foreigner.run(`create role ${role}; grant select, insert, update, delete, truncate on urls to ${role};
      grant truncate on url_stats, url_uses to ${role}`);
    try {
      await foreigner.run(`set role ${role}`);
      await insert('code-1', 'code-2');
      await foreigner.run(`update urls set short_code = 'code-3' where short_code = 'code-2'`);
      await foreigner.run('delete from urls');
      await foreigner.run('truncate urls cascade');
    } finally {
      await foreigner.run(`reset role; drop owned by ${role}; drop role ${role}`);
    }
    expect(await readRemovals()).toEqual({
      'code-1': expect.any(Number),
      'code-2': expect.any(Number),
      'code-3': expect.any(Number),
      '*': expect.any(Number),
    });
    expect((await hearAll()).length).toBeGreaterThan(5);
  });

  test('only that: the triggers are for no other table', async () => {
    const role = `trickster_${process.pid}`;
    await foreigner.run(`create role ${role}; create schema authorization ${role}`);
    try {
      await foreigner.run(`set role ${role}; create table ${role}.mine (short_code text, version bigint)`);
      const trick =
        foreigner.run(`create trigger trick after delete on ${role}.mine referencing old table as deleted
        execute function announce_deleted_urls()`);
      await expect(trick).rejects.toThrow('permission denied for function announce_deleted_urls');
    } finally {
      await foreigner.run(`reset role; drop schema ${role} cascade; drop role ${role}`);
    }
  });
});

test("Linkmill's own writes are told to nobody", async () => {
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
  expect(await hearAll()).toEqual([]);
});

describe('a listener', () => {
  test('hears again after its connection was ended, and says so', async () => {
    await database
      .db()
      .raw(
        `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'linkmill-test-hearing'`,
      );
    await waitUntil('it hears again', () => heard.includes('hears'), 3_000);
    await insert('code-1');
    expect(await hearAll()).toContain(`code-1 ${(await readVersions())['code-1']}`);
  });

  test('hears again once PostgreSQL takes connections again', async () => {
    await proxy.refuse();
    proxy.cut();
    await waitUntil('it is gone', () => proxy.connections === 0);
    await proxy.accept();
    await waitUntil('it hears again', () => heard.includes('hears'), 3_000);
  });

  test('gives up a half-open connection within 5 s', async () => {
    proxy.goHalfOpen();
    await waitUntil('it hears again', () => heard.includes('hears'), 5_000);
    await insert('code-1');
    expect(await hearAll()).toContain(`code-1 ${(await readVersions())['code-1']}`);
  });
});
