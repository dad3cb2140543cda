import { strict as assert } from 'node:assert';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import type { Knex } from '../../../src/storage/postgres/postgres.ts';
import { createClient } from '../http/client.ts';
import type { TestProcess } from '../processes/launch.ts';
import type { Tally } from '../processes/load.ts';
import { createUrl } from '../urls/urls.ts';
import { waitUntil } from '../wait-until.ts';

/** Creates short URLs through the service at `baseUrl` with database `db`; resolves to their short codes. */
export async function createCodes(db: Knex, baseUrl: string, count: number): Promise<string[]> {
  const { key } = await createApiKeys(db).create('test');
  const client = createClient(baseUrl, key);
  return await Promise.all(Array.from({ length: count }, async () => await createUrl(client)));
}

/** Reads the counted clicks per short code. */
export async function readCounted(db: Knex): Promise<Map<string, number>> {
  const rows = await db('urls as u')
    .join('url_stats as s', 's.url_id', 'u.id')
    .select('short_code', 'click_count');
  return new Map(rows.map((row) => [row.short_code as string, row.click_count as number]));
}

/** Finds short codes that violate `answered ≤ counted ≤ sent`. */
export function findMiscounted(tally: Tally, counted: Map<string, number>) {
  return [...tally.sent].flatMap(([code, sent]) => {
    const answered = tally.answered.get(code) ?? 0;
    const count = counted.get(code) ?? 0;
    return answered <= count && count <= sent ? [] : [{ code, answered, count, sent }];
  });
}

/** Asserts exact counts once counting has caught up, and again after all processes have exited cleanly. */
export async function assertExactCounts(db: Knex, tally: Tally, processes: TestProcess[]): Promise<void> {
  await waitUntil(
    'answered clicks are counted',
    async () => findMiscounted(tally, await readCounted(db)).length === 0,
    20_000,
  );
  for (const process of processes) assert.equal(await process.stop(), 0);
  assert.deepEqual(findMiscounted(tally, await readCounted(db)), []);
}
