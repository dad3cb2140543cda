interface Request<Item, Result> {
  item: Item;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

/** Group commit: runs at most `concurrency` calls of `run` at a time. While all of them are in progress, items wait and then share the next
 *  call, up to `limit` each; without load an item waits for nothing. `run` resolves to the results in the order of its items. When a
 *  call for several items fails, each item is retried alone; after a failure that `isForAll`, every waiting item is rejected. */
export function createBatchWriter<Item, Result>(deps: {
  run: (items: Item[]) => Promise<Result[]>;
  isForAll: (error: unknown) => boolean;
  limit: number;
  concurrency?: number;
}) {
  const { run, isForAll, limit, concurrency = 1 } = deps;
  const waiting: Request<Item, Result>[] = [];
  let running = 0;

  async function settle(requests: Request<Item, Result>[]): Promise<void> {
    try {
      const results = await run(requests.map(({ item }) => item));
      requests.forEach(({ resolve }, i) => resolve(results[i]!));
    } catch (error) {
      if (isForAll(error)) for (const { reject } of [...requests, ...waiting.splice(0)]) reject(error);
      else if (requests.length === 1) requests[0]!.reject(error);
      else for (const request of requests) await settle([request]);
    }
  }

  async function runAll(): Promise<void> {
    running += 1;
    while (waiting.length > 0) await settle(waiting.splice(0, limit));
    running -= 1;
  }

  return async (item: Item): Promise<Result> =>
    await new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      if (running < concurrency) void runAll();
    });
}
