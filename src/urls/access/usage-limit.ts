import { createBatchWriter } from '../../resilience/batch-writer.ts';
import { isPostgresUnavailable } from '../../storage/postgres/postgres.ts';
import type { UsageStore } from './usage-store.ts';

/** Visitors per statement, at most. */
const maxBatch = 1_000;

export type UsageLimit = ReturnType<typeof createUsageLimit>;

/** Enforces click limits. PostgreSQL decides on each claim. Visitors who arrive during a statement share the next one,
 *  so that a popular short URL does not make them queue for its row. */
export function createUsageLimit(store: UsageStore) {
  const claim = createBatchWriter({ run: claimMany, isForAll: isPostgresUnavailable, limit: maxBatch });

  /** Returns for each visitor whether the claim succeeded, first come, first served. */
  async function claimMany(urlIds: number[]): Promise<boolean[]> {
    const counts = new Map<number, number>();
    for (const urlId of urlIds) counts.set(urlId, (counts.get(urlId) ?? 0) + 1);
    const claims = [...counts].map(([urlId, count]) => ({ urlId, count }));
    const claimed = await store.claim(claims);
    const left = new Map(claims.map(({ urlId }, i) => [urlId, claimed[i]!]));
    return urlIds.map((urlId) => {
      const count = left.get(urlId)!;
      left.set(urlId, count - 1);
      return count > 0;
    });
  }

  return {
    /** Claims one click of a short URL; false when its click limit is reached. Throws when PostgreSQL is unavailable or
     *  its answer is lost: a click may then be lost, but is never claimed twice. */
    claim,

    /** Whether a short URL has clicks left at this moment. */
    hasClicksLeft: store.hasClicksLeft,
  };
}
