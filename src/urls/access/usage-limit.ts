import { createBatchWriter } from '../../resilience/batch-writer.ts';
import { isPostgresUnavailable } from '../../storage/postgres/postgres.ts';
import type { UsageStore } from './usage-store.ts';

/** Visitors that share one statement at most. */
const maxTogether = 1_000;

export type UsageLimit = ReturnType<typeof createUsageLimit>;

/** Uses of short URLs that are good for so many redirects and no more. PostgreSQL decides on each; visitors who come while a
 *  statement is under way share the next, so that one whom all want does not have them stand in line for its row. */
export function createUsageLimit(store: UsageStore) {
  const take = createBatchWriter({ run: takeTogether, isForAll: isPostgresUnavailable, limit: maxTogether });

  /** Whether each visitor gets a use of the short URL that it wants; who came first goes first. */
  async function takeTogether(urlIds: number[]): Promise<boolean[]> {
    const wanted = new Map<number, number>();
    for (const urlId of urlIds) wanted.set(urlId, (wanted.get(urlId) ?? 0) + 1);
    const wishes = [...wanted].map(([urlId, count]) => ({ urlId, wanted: count }));
    const granted = await store.take(wishes);
    const left = new Map(wishes.map(({ urlId }, i) => [urlId, granted[i]!]));
    return urlIds.map((urlId) => {
      const count = left.get(urlId)!;
      left.set(urlId, count - 1);
      return count > 0;
    });
  }

  return {
    /** Uses a short URL once; false when it is used up. A use is lost, never doubled, when PostgreSQL takes it and cannot say
     *  so any more; then this throws, as it does while PostgreSQL is away. */
    take,

    /** Whether a short URL can be used once more, at this moment. */
    isLeft: store.isLeft,
  };
}
