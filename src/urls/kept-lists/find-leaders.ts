import { type Leaders, leaderSorts, type LeaderStore } from './leaders.ts';

/** Finds the first `count` short URLs of each owner in each order, from the highest id down, `sliceSize` per statement. Resolves to
 *  undefined if `signal` aborts; `onSlice` gets how many of how many ids were read. */
export async function findLeaders(
  store: LeaderStore,
  options: { owners: readonly number[]; count: number; sliceSize: number; signal: AbortSignal },
  onSlice: (read: number, total: number) => Promise<void>,
): Promise<{ leaders: Leaders; atMs: number; seconds: number } | undefined> {
  const { owners, count, sliceSize, signal } = options;
  const startedAt = performance.now();
  const { lastId, atMs } = await store.begin();
  const leaders: Leaders = new Map(owners.map((owner) => [owner, { clicks: [], last_click: [] }]));
  // At first every short URL is a leader, so that a large slice would return all its rows.
  let size = Math.min(count, sliceSize);
  for (let last = lastId; ;) {
    if (signal.aborted) return undefined;
    const first = await store.findSlice(last, size);
    if (first === undefined) return { leaders, atMs, seconds: (performance.now() - startedAt) / 1_000 };
    const candidates = await store.findCandidates({ first, last }, leaders, count);
    for (const [owner, orders] of leaders) {
      const found = candidates.filter((candidate) => candidate.owner === owner);
      if (found.length === 0) continue;
      for (const sort of leaderSorts)
        orders[sort] = [...orders[sort], ...found]
          .toSorted((a, b) => b[sort] - a[sort] || b.id - a.id)
          .slice(0, count);
    }
    await onSlice(lastId - first, lastId);
    last = first - 1;
    size = sliceSize;
  }
}
