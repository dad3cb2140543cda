export type Store = 'Redis' | 'PostgreSQL';
export type StoreConnections = ReturnType<typeof createStoreConnections>;

/** The connections between web processes and stores. */
export function createStoreConnections(step: (where: string) => Promise<void>) {
  const down = new Set<Store>();
  return {
    down,
    /** Wraps a command with a step before and after it; fails while its store is down. */
    to:
      <Args extends unknown[], Result>(
        store: Store,
        name: string,
        command: (...args: Args) => Promise<Result>,
      ) =>
      async (...args: Args): Promise<Result> => {
        const pass = async (where: string) => {
          await step(where);
          if (down.has(store)) throw new Error('Connection terminated unexpectedly');
        };
        await pass(name);
        const result = await command(...args);
        await pass(`${name}: answer`);
        return result;
      },
  };
}
