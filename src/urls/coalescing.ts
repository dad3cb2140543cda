interface Asked<Item, Result> {
  item: Item;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

/** Runs one call of `run` at a time, each with everything that was asked for while the one before it was under way, at most
 *  `limit` items: alone an item waits for nothing, under load they share calls. `run` gives its results in the order of its
 *  items. When it fails for several, each is tried alone, so that nobody fails for another; unless the failure `isForAll`:
 *  then nobody who waits is kept waiting. */
export function createCoalescing<Item, Result>(deps: {
  run: (items: Item[]) => Promise<Result[]>;
  isForAll: (error: unknown) => boolean;
  limit: number;
}) {
  const { run, isForAll, limit } = deps;
  const waiting: Asked<Item, Result>[] = [];
  let isRunning = false;

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
    isRunning = true;
    while (waiting.length > 0) await answer(waiting.splice(0, limit));
    isRunning = false;
  }

  return async (item: Item): Promise<Result> =>
    await new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      if (!isRunning) void runAll();
    });
}
