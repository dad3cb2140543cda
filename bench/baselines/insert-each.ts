import type { createBatchWriter as shared } from '../../src/resilience/batch-writer.ts';

/** Replaces `src/resilience/batch-writer.ts` in an otherwise equal build: each item has its own call, without delay. */
export const createBatchWriter: typeof shared =
  ({ run }) =>
  async (item) => {
    const [result] = await run([item]);
    return result!;
  };
