import { setImmediate as nextTurn } from 'node:timers/promises';

/** Answers what is asked for within one turn of the event loop with one call of `load`, which gives its answers in the order of
 *  its keys. */
export function createBatchLoader<Key, T>(load: (keys: Key[]) => Promise<T[]>) {
  let asked: { keys: Key[]; answers: Promise<T[]> } | undefined;

  function begin() {
    const keys: Key[] = [];
    const answers = nextTurn().then(async () => {
      asked = undefined;
      return await load(keys);
    });
    return { keys, answers };
  }

  return async (key: Key): Promise<T> => {
    asked ??= begin();
    const place = asked.keys.push(key) - 1;
    return (await asked.answers)[place]!;
  };
}
