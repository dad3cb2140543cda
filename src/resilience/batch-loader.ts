import { setImmediate as nextTurn } from 'node:timers/promises';

/** Loads all keys that are requested within one turn of the event loop with one call of `load`, which resolves to the values in the order
 *  of their keys. DataLoader would add promises and a cache per key to the path of a redirect. */
export function createBatchLoader<Key, T>(load: (keys: Key[]) => Promise<T[]>) {
  let batch: { keys: Key[]; values: Promise<T[]> } | undefined;

  function begin() {
    const keys: Key[] = [];
    const values = nextTurn().then(async () => {
      batch = undefined;
      return await load(keys);
    });
    return { keys, values };
  }

  return async (key: Key): Promise<T> => {
    batch ??= begin();
    const index = batch.keys.push(key) - 1;
    return (await batch.values)[index]!;
  };
}
