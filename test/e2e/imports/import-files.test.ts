import { stringify } from 'csv-stringify/sync';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import { UploadRejected } from '../../../src/transfers/transfer.ts';
import { importUrls } from '../../../workers/jobs/transfers/import-urls.ts';
import { createTransfers } from '../../support/http/transfers.ts';
import { createJobContext } from '../../support/job-context.ts';
import { useDatabase } from '../../support/resources.ts';

const database = useDatabase();
let apiKeyId: number;

beforeAll(async () => {
  apiKeyId = (await createApiKeys(database.db()).create('test')).id;
});

const columns = [
  'short_code',
  'original_url',
  'created_at',
  'starts_at',
  'expires_at',
  'max_clicks',
  'is_active',
  'is_one_time',
  'fallback_url',
  'redirect_status',
  'redirect_max_age_seconds',
  'forward_query',
  'title',
  'notes',
  'tags',
  'click_count',
  'last_accessed_at',
];

const hostile = fc.oneof(
  fc.constantFrom(
    'a\0b',
    '\uD800',
    '\uDFFF\uD800',
    '\uFFFF',
    '{"a":"\\u0000"}',
    '["\\u0000"]',
    '0000-01-01T00:00:00Z',
    '0001-01-01',
    '9999-12-31T23:59:59-23:59',
    '2026-02-31',
    '2026-01-01T24:00:00Z',
    '99999999999999999999',
    '1e400',
    '-0',
    'NaN',
    "'=1",
  ),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.date({ noInvalidDate: true }).map((at) => at.toISOString()),
  fc.integer().map(String),
  fc.double().map(String),
);
const cell = fc.oneof({ weight: 2, arbitrary: hostile }, fc.constantFrom('', 'true', 'https://example.com/'));
const ordinaryUrl = fc.integer().map((n) => `https://example.com/${n}`);
const row = fc
  .dictionary(fc.constantFrom(...columns), cell)
  .chain((cells) =>
    fc.oneof(ordinaryUrl, cell).map((url) => Object.assign({}, cells, { original_url: url })),
  );
const value = fc.oneof(cell, fc.jsonValue({ maxDepth: 3 }), fc.integer(), fc.double());
const objects = fc
  .dictionary(fc.oneof(fc.constantFrom(...columns), hostile), value)
  .map((given) => Object.assign({ original_url: 'https://example.com/' }, given));

const csvFile = fc
  .tuple(fc.array(row, { maxLength: 20 }), fc.array(hostile, { maxLength: 2 }))
  .map(([rows, names]) =>
    stringify([
      [...columns, ...names],
      ...rows.map((cells: Record<string, string>) => [...columns, ...names].map((name) => cells[name] ?? '')),
    ]),
  );
const jsonFile = fc
  .array(fc.oneof(objects, value), { maxLength: 20 })
  .map((lines) => lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
/** Overwrites some bytes of a file with random ones. */
const damaged = (file: fc.Arbitrary<string>) =>
  fc.tuple(file, fc.nat(), fc.uint8Array({ maxLength: 4 })).map(([text, place, bytes]) => {
    const content = Buffer.from(text);
    content.set(bytes.subarray(0, content.length), place % Math.max(1, content.length - bytes.length));
    return content;
  });
const file = fc.oneof(
  fc.oneof(csvFile, damaged(csvFile)).map((content) => ({ encoding: 'csv' as const, content })),
  fc.oneof(jsonFile, damaged(jsonFile)).map((content) => ({ encoding: 'ndjson' as const, content })),
  fc
    .uint8Array({ maxLength: 300 })
    .map((bytes) => ({ encoding: 'csv' as const, content: Buffer.from(bytes) })),
);

test('every file is rejected, or its import ends with a state and a result for each row', async () => {
  const transfers = createTransfers(database.db());
  await fc.assert(
    fc.asyncProperty(file, async ({ encoding, content }) => {
      let id: number;
      try {
        id = await transfers.upload(apiKeyId, content, encoding);
      } catch (error) {
        if (error instanceof UploadRejected) return;
        throw error;
      }
      await importUrls(transfers, id, createJobContext());
      const { state, error, rows, created, skipped, failed } = await transfers.imports.get(id, apiKeyId);
      expect(state === 'completed' ? error === null : state === 'failed' && error !== null).toBe(true);
      expect(created + skipped + failed).toBe(rows);
    }),
    { numRuns: 1_000 },
  );
});
