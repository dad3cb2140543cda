import { strict as assert } from 'node:assert';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import type { Knex } from '../../../src/storage/postgres/postgres.ts';
import { createClient } from '../http/client.ts';
import type { TestProcess } from '../processes/launch.ts';
import type { Tally } from '../processes/load.ts';
import { createUrl } from '../urls/urls.ts';
import { waitUntil } from '../wait-until.ts';

/** Short codes of fresh short URLs of the service at `baseUrl`, whose database `db` is. */
export async function createCodes(db: Knex, baseUrl: string, count: number): Promise<string[]> {
  const { key } = await createApiKeys(db).create('test');
  const client = createClient(baseUrl, key);
  return await Promise.all(Array.from({ length: count }, async () => await createUrl(client)));
}

/** What PostgreSQL has counted, per short code. */
export async function readCounted(db: Knex): Promise<Map<string, number>> {
  const rows = await db('urls as u')
    .join('url_stats as s', 's.url_id', 'u.id')
    .select('short_code', 'click_count');
  return new Map(rows.map((row) => [row.short_code as string, row.click_count as number]));
}

/** The short codes for which `answered ≤ counted ≤ sent` does not hold. */
export function findMiscounted(tally: Tally, counted: Map<string, number>) {
  return [...tally.sent].flatMap(([code, sent]) => {
    const answered = tally.answered.get(code) ?? 0;
    const count = counted.get(code) ?? 0;
    return answered <= count && count <= sent ? [] : [{ code, answered, count, sent }];
  });
}

/** Judges when counting has caught up, and again when the processes have ended well and nothing more can be counted. */
export async function judgeCounting(db: Knex, tally: Tally, processes: TestProcess[]): Promise<void> {
  await waitUntil(
    'everything answered is counted',
    async () => findMiscounted(tally, await readCounted(db)).length === 0,
    20_000,
  );
  for (const process of processes) assert.equal(await process.stop(), 0);
  assert.deepEqual(findMiscounted(tally, await readCounted(db)), []);
}
