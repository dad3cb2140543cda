import type { createFindFewTagged, TagChange } from './tag-store.ts';

/** Short URLs per transaction. On two busy cores it takes 0.1 to 0.4 s, in which changes of these short URLs wait. */
export const batchSize = 250;
/** Short URLs that a request changes itself, in half a second; 200,000 take a job a minute. */
const maxAtOnce = 1_000;

export type TagChanges = ReturnType<typeof createTagChanges>;

/** Renames tags, and removes them from short URLs. */
export function createTagChanges({
  findFewTagged,
  changeTag,
  requestJob,
}: {
  findFewTagged: ReturnType<typeof createFindFewTagged>;
  /** Changes a tag, see TagStore, and then refreshes the cache, also when the caller has given up. `refreshed` never rejects. */
  changeTag: (change: TagChange, ids: number[]) => Promise<{ codes: string[]; refreshed: Promise<void> }>;
  /** Requests a job that does the same for any number of short URLs; resolves to its ID. */
  requestJob: (change: TagChange) => Promise<string>;
}) {
  return {
    /** Changes a tag on up to 1,000 short URLs, and resolves to their number; requests a job for more, or when finding them takes too long. Can be repeated after a failure. */
    async change(change: TagChange): Promise<{ changed: number } | { jobId: string }> {
      if (change.name === change.tag) return { changed: 0 };
      const ids = await findFewTagged(change, maxAtOnce);
      if (!ids) return { jobId: await requestJob(change) };
      let changed = 0;
      for (let start = 0; start < ids.length; start += batchSize) {
        const { codes, refreshed } = await changeTag(change, ids.slice(start, start + batchSize));
        await refreshed;
        changed += codes.length;
      }
      return { changed };
    },
  };
}
