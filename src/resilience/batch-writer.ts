interface Asked<Item, Result> {
  item: Item;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

/** Runs at most `concurrency` calls of `run` at a time, one unless set. A call takes what was requested while all of them were in progress, at
 *  most `limit` items: alone an item waits for nothing, under load items share calls. `run` gives its results in the order of its
 *  items. When it fails for several, each is tried alone, so that nobody fails for another; unless the failure `isForAll`:
 *  then nobody who waits is kept waiting. */
export function createBatchWriter<Item, Result>(deps: {
  run: (items: Item[]) => Promise<Result[]>;
  isForAll: (error: unknown) => boolean;
  limit: number;
  concurrency?: number;
}) {
  const { run, isForAll, limit, concurrency = 1 } = deps;
  const waiting: Asked<Item, Result>[] = [];
  let running = 0;

  async function answer(asked: Asked<Item, Result>[]): Promise<void> {
    try {
      const results = await run(asked.map(({ item }) => item));
      asked.forEach(({ resolve }, i) => resolve(results[i]!));
    } catch (error) {
      if (isForAll(error)) for (const { reject } of [...asked, ...waiting.splice(0)]) reject(error);
      else if (asked.length === 1) asked[0]!.reject(error);
      else for (const one of asked) await answer([one]);
    }
  }

  async function runAll(): Promise<void> {
    running += 1;
    while (waiting.length > 0) await answer(waiting.splice(0, limit));
    running -= 1;
  }

  return async (item: Item): Promise<Result> =>
    await new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      if (running < concurrency) void runAll();
    });
}
