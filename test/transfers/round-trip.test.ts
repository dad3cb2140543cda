import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { createApiKeys } from '../../src/api-keys/api-keys.ts';
import { isExact, readAudit } from '../../src/clicks/ledger/audit.ts';
import type { Encoding } from '../../src/transfers/transfer.ts';
import { createDestinationPolicy } from '../../src/urls/input/destination-policy.ts';
import { exportUrls } from '../../workers/jobs/transfers/export-urls.ts';
import { importUrls } from '../../workers/jobs/transfers/import-urls.ts';
import { createTransfers } from '../support/http/transfers.ts';
import { createJobContext } from '../support/job-context.ts';
import { useDatabase } from '../support/resources.ts';

const [from, to] = [useDatabase(), useDatabase()];
let apiKeys: number[];

beforeAll(async () => {
  apiKeys = await Promise.all(
    [from, to].map(async ({ db }) => (await createApiKeys(db()).create('test')).id),
  );
});

/** The fields of a short URL that an export and import must preserve. */
async function readUrls(database: typeof from) {
  const { rows } = await database.db().raw<{ rows: unknown[] }>(
    `select short_code, original_url, date_trunc('milliseconds', created_at) as created_at, starts_at, expires_at, max_clicks,
            is_active, is_one_time, fallback_url, redirect_status, redirect_max_age_seconds, forward_query, crawlable, title,
            notes, tags, click_count, last_accessed_at
     from urls join url_stats on url_id = id order by short_code`,
  );
  return rows;
}

async function exportAll(encoding: Encoding): Promise<string> {
  const transfers = createTransfers(from.db());
  const apiKeyId = apiKeys[0]!;
  const { id } = await transfers.exports.create({ apiKeyId, kind: 'urls', encoding, owner: null });
  const summary = await exportUrls(transfers, id, createJobContext());
  expect(summary).toMatchObject({ state: 'completed' });
  const { content, bytes } = await transfers.exports.readFile(id, apiKeyId, null);
  const parts: Buffer[] = [];
  for await (const part of content) parts.push(part);
  expect(Buffer.concat(parts)).toHaveLength(bytes);
  return Buffer.concat(parts).toString();
}

async function importAll(encoding: Encoding, file: string) {
  const transfers = createTransfers(to.db());
  const id = await transfers.upload(apiKeys[1]!, file, encoding);
  return await importUrls(transfers, id, createJobContext());
}

const begins = fc.constantFrom('=1+1', "'=1", "''@x", '"', '|', '[1]', '-', "'", '');
/** Text that a short URL may contain. */
const text = fc
  .tuple(begins, fc.string({ unit: 'binary', maxLength: 30 }))
  .map((parts) =>
    parts
      .join('')
      .replaceAll(/[\p{Cc}\p{Cs}]/gu, '')
      .trim(),
  )
  .filter((value) => value !== '');
const lines = fc
  .tuple(fc.constantFrom('', '\t=', '\n'), text, fc.constantFrom('', '\n', '\n\t-'))
  .map((parts) => parts.join(''));
const time = fc
  .date({ min: new Date('1990-01-01'), max: new Date('2190-01-01'), noInvalidDate: true })
  .map((date) => date.toISOString());
const orNull = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: null });

const normaliseUrl = createDestinationPolicy({
  ownHosts: [],
  allowPrivate: false,
  isBlocked: () => false,
});
/** Names such as `a.lan` are refused by an import, and fast-check generates them now and then. */
function isAccepted(url: string): boolean {
  try {
    return normaliseUrl(url) === url;
  } catch {
    return false;
  }
}

const urlRow = fc.record({
  original_url: fc
    .webUrl({ withQueryParameters: true })
    .map((url) => new URL(url).href)
    .filter(isAccepted),
  created_at: time,
  starts_at: orNull(fc.constant('1980-01-01T00:00:00Z')),
  expires_at: orNull(time),
  max_clicks: fc.constantFrom(null, 1),
  is_active: fc.boolean(),
  is_one_time: fc.boolean(),
  fallback_url: orNull(fc.constant('https://example.com/fallback')),
  redirect_status: orNull(fc.constantFrom(301, 302, 307, 308)),
  redirect_max_age_seconds: orNull(fc.integer({ min: 0, max: 1_000 })),
  forward_query: fc.boolean(),
  crawlable: fc.boolean(),
  title: orNull(text),
  notes: orNull(lines),
  tags: fc.uniqueArray(text, { maxLength: 4 }),
});

test('an export imported into an empty database is identical, in each format', async () => {
  const rows = fc.array(fc.tuple(urlRow, fc.integer({ min: 0, max: 999 }), orNull(time)), {
    minLength: 1,
    maxLength: 20,
  });
  await fc.assert(
    fc.asyncProperty(rows, fc.constantFrom<Encoding>('csv', 'ndjson'), async (given, encoding) => {
      for (const { db } of [from, to]) await db()('urls').del();
      await to.db()('imported_clicks').update({ clicks: 0 });
      for (const [i, [row, click_count, last_accessed_at]] of given.entries()) {
        const short_code = `-trip-${i}`;
        const [{ id }] = await from
          .db()('urls')
          .insert({ ...row, short_code, code_is_generated: false })
          .returning('id');
        await from
          .db()('url_stats')
          .insert({
            url_id: id,
            click_count,
            last_accessed_at: last_accessed_at === null ? null : new Date(last_accessed_at),
          });
      }
      const file = await exportAll(encoding);
      expect(await importAll(encoding, file)).toMatchObject({
        created: given.length,
        failed: 0,
        state: 'completed',
      });
      expect(await readUrls(to)).toEqual(await readUrls(from));
      expect(isExact(await readAudit(to.db()))).toBe(true);
      expect(await importAll(encoding, file)).toMatchObject({ created: 0, skipped: given.length, failed: 0 });
    }),
    { numRuns: 10 },
  );
});
