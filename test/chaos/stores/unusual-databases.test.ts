import { randomBytes } from 'node:crypto';
import { expect, inject, test } from 'vitest';
import { createClickFeedStore } from '../../../src/analytics/feed/feed-store.ts';
import { createAnalyticsPartitions } from '../../../src/analytics/partitions/partitions.ts';
import { createAnalyticsPurge } from '../../../src/analytics/rollups/purge.ts';
import { createClickSegments } from '../../../src/analytics/rollups/segments.ts';
import { createVisitorSaltStore } from '../../../src/clicks/enrichment/visitor-salt-store.ts';
import { openPostgres } from '../../../src/storage/postgres/postgres.ts';
import { mayChangePartitions } from '../../../src/storage/postgres/rights.ts';
import { migrate } from '../../../src/storage/schema/migrations.ts';
import { maintainAnalytics } from '../../../workers/jobs/clicks/maintain-analytics.ts';
import { useDatabase } from '../../support/resources.ts';
import { administer, databaseUrl } from '../../support/services/databases.ts';
import { useRole } from '../../support/services/role.ts';

const database = useDatabase();
const role = useRole(database);

async function withDatabase(options: string, use: (url: string) => Promise<void>) {
  const name = `Linkmill "odd" ${randomBytes(4).toString('hex')}`;
  const quoted = `"${name.replaceAll('"', '""')}"`;
  await administer(inject('postgresUrl'), `create database ${quoted} template template0 ${options}`);
  try {
    await use(databaseUrl(inject('postgresUrl'), encodeURIComponent(name)));
  } finally {
    await administer(inject('postgresUrl'), `drop database ${quoted} with (force)`);
  }
}

async function migrateAt(url: string) {
  const db = openPostgres({ url, poolMax: 2, queryTimeoutMs: 60_000, name: 'test' });
  try {
    return await migrate(db);
  } finally {
    await db.destroy();
  }
}

test.each(['LATIN1', 'SQL_ASCII'])(
  'a database in encoding %s is rejected with the commands that fix it',
  async (encoding) => {
    await withDatabase(
      `encoding '${encoding}' locale_provider libc lc_collate 'C' lc_ctype 'C'`,
      async (url) => {
        await expect(migrateAt(url)).rejects.toThrow(
          `has the encoding ${encoding}, and Linkmill requires UTF8`,
        );
        await expect(migrateAt(url)).rejects.toThrow('create database linkmill_utf8');
      },
    );
  },
);

test('a database with a quoted name and C collation is migrated', async () => {
  await withDatabase(`encoding 'UTF8' lc_collate 'C' lc_ctype 'C'`, async (url) => {
    expect((await migrateAt(url)).length).toBeGreaterThan(5);
  });
});

test('migrations and writes work in a quoted schema with pg_trgm in an inaccessible schema', async () => {
  await withDatabase(`encoding 'UTF8'`, async (url) => {
    const run = async (statement: string) => await administer(url, statement.replaceAll('%role', role.name));
    await run('create schema "Short URLs" authorization %role');
    await run('create schema hidden; create extension pg_trgm schema hidden');
    const asRole = new URL(url);
    asRole.username = role.name;
    asRole.password = 'role';
    asRole.searchParams.set('options', '-c search_path="Short\\ URLs"');
    expect((await migrateAt(asRole.href)).length).toBeGreaterThan(5);
    const db = openPostgres({ url: asRole.href, poolMax: 1, queryTimeoutMs: 60_000, name: 'test' });
    await db.raw(`insert into urls (short_code, original_url) values ('a', 'https://example.com/')`);
    await db.raw(`update urls set title = 'changed' where short_code = 'a'`);
    await db.raw('delete from urls');
    expect((await db.raw('select short_code from url_removals')).rows).toEqual([]);
    await db.destroy();
    await run('drop owned by %role cascade');
  });
});

test('maintenance by a role that may not change partitions succeeds without them', async () => {
  const db = openPostgres({ url: role.url(), poolMax: 2, queryTimeoutMs: 60_000, name: 'test' });
  const summary = await maintainAnalytics(
    {
      salts: createVisitorSaltStore(db),
      partitions: createAnalyticsPartitions(db),
      segments: createClickSegments(db),
      removals: createAnalyticsPurge(db),
      clickFeed: createClickFeedStore(db),
      now: async () => new Date(),
    },
    90,
    { reportProgress: async () => undefined, signal: new AbortController().signal },
  );
  expect(summary).toMatchObject({ created: 0, status: 'the role may not change partitions' });
  expect(await mayChangePartitions(db)).toBe(false);
  expect(await mayChangePartitions(database.db())).toBe(true);
  await db.destroy();
});

test('writes by Linkmill and by other programs work after a rename of the schema', async () => {
  await withDatabase(`encoding 'UTF8'`, async (url) => {
    await migrateAt(url);
    await administer(url, 'alter schema public rename to "Renamed one"');
    const renamed = new URL(url);
    renamed.searchParams.set('options', '-c search_path="Renamed\\ one"');
    const db = openPostgres({ url: renamed.href, poolMax: 1, queryTimeoutMs: 60_000, name: 'test' });
    await db.transaction(async (trx) => {
      // Simulates an external write.
      await trx.raw(`select set_config('application_name', 'other', true)`);
      await trx.raw(
        `insert into urls (short_code, original_url) values ('a', 'https://example.com/'), ('b', 'https://example.com/')`,
      );
      await trx.raw(`update urls set title = 'changed' where short_code = 'a'`);
      await trx.raw(`update urls set short_code = 'c' where short_code = 'b'`);
      await trx.raw(`update url_stats set click_count = 3`);
      await trx.raw(`delete from urls where short_code = 'a'`);
      await trx.raw(`insert into blocked_hosts (host) values ('bad.example')`);
    });
    expect((await db.raw('select short_code from url_removals order by 1')).rows).toEqual([
      { short_code: 'a' },
      { short_code: 'b' },
    ]);
    expect((await db.raw('select purged_clicks from click_ledger_totals')).rows).toEqual([
      { purged_clicks: 3 },
    ]);
    expect((await db.raw('select version from blocked_hosts_version')).rows).toEqual([{ version: 1 }]);
    await db.transaction(async (trx) => {
      await trx.raw(`select set_config('application_name', 'other', true)`);
      await trx.raw('truncate urls cascade');
    });
    expect((await db.raw(`select short_code from url_removals where short_code = '*'`)).rows).toHaveLength(1);
    expect((await db.raw('show search_path')).rows).toEqual([{ search_path: '"Renamed one"' }]);
    await db.destroy();
  });
});
