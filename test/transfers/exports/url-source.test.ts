import { beforeAll, expect, test } from 'vitest';
import { createUrlSource } from '../../../src/transfers/exports/url-source.ts';
import { useDatabase } from '../../support/resources.ts';
import { insertUrls } from '../../support/urls/urls.ts';

const count = 5_000;
const limit = 250;

const { db } = useDatabase();

beforeAll(async () => {
  await insertUrls(db(), { begin: 'export-', count });
  await db().raw('analyze urls, url_stats');
});

/** The counters that PostgreSQL reads for one page, in rows. */
async function readCounters(after: number): Promise<{ rows: number; read: number }> {
  return await db().transaction(async (trx) => {
    const page = await createUrlSource(trx).findRows({ after, upTo: 1e9, owner: null, filter: {}, limit });
    const found = await trx.raw<{ rows: { read: number }[] }>(
      `select cast(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) as int) as read
       from pg_stat_xact_user_tables where relname = 'url_stats'`,
    );
    return { rows: page.length, read: found.rows[0]!.read };
  });
}

test('the last page of a large export reads no counters of earlier pages', async () => {
  const ids = await db()('urls').orderBy('id').pluck<number[]>('id');
  const last = await readCounters(ids.at(-limit - 1)!);
  expect(last).toEqual({ rows: limit, read: limit });
});

test('a short URL without a row of counters is exported with 0 clicks', async () => {
  const { id } = await db()('urls')
    .orderBy('id')
    .first('id')
    .then((row) => row!);
  await db()('url_stats').where({ url_id: id }).delete();
  const source = createUrlSource(db());
  const [first] = await source.findRows({ after: id - 1, upTo: id, owner: null, filter: {}, limit });
  expect(first?.values).toMatchObject({ click_count: 0, last_accessed_at: null });
});
