import type { createCoalescing as shared } from '../../src/urls/coalescing.ts';

/** Stands in for `src/urls/coalescing.ts` in a build that is otherwise the same: each item has a call of its own, at once. */
export const createCoalescing: typeof shared =
  ({ run }) =>
  async (item) => {
    const [result] = await run([item]);
    return result!;
  };
