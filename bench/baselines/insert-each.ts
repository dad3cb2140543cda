import type { createBatchWriter as shared } from '../../src/resilience/batch-writer.ts';

/** Stands in for `src/resilience/batch-writer.ts` in a build that is otherwise the same: each item has a call of its own, at once. */
export const createBatchWriter: typeof shared =
  ({ run }) =>
  async (item) => {
    const [result] = await run([item]);
    return result!;
  };
