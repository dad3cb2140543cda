import type { RefreshCache } from '../../../src/urls/cache/refresh.ts';
import { batchSize } from '../../../src/urls/tags/tag-changes.ts';
import type { TagChange, TagStore } from '../../../src/urls/tags/tag-store.ts';
import { type JobContext, percentOf } from '../../job-context.ts';
import { inSlices } from '../steps/slices.ts';

/** IDs per query: of a million short URLs with the tag, each query finds all. */
const maxIds = 50_000;

/** Renames a tag on all short URLs of an owner or, without a name, removes it. Short URLs that get the tag meanwhile may keep it. */
export async function renameTag(
  { tagStore, refreshCache }: { tagStore: TagStore; refreshCache: RefreshCache },
  change: TagChange,
  { reportProgress, signal }: JobContext,
) {
  if (change.name === change.tag) return { changed: 0, status: 'nothing to rename' };
  const total = await tagStore.countTagged(change);
  let changed = 0;
  let lastId = 0;
  let ids: number[] = [];
  await inSlices(
    async () => {
      if (ids.length === 0) ids = await tagStore.findTagged(change, lastId, maxIds);
      const slice = ids.splice(0, batchSize);
      if (slice.length === 0) return 0;
      const codes = await tagStore.changeTag(change, slice);
      await refreshCache(codes);
      lastId = slice.at(-1)!;
      changed += codes.length;
      return slice.length;
    },
    { signal, onSlice: async (done) => await reportProgress(percentOf(done, total)) },
  );
  return { changed, interrupted: signal.aborted };
}
