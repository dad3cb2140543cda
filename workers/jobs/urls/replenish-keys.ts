import type { KeyGenerator } from '../../../src/keys/key-generator.ts';
import type { KeyPool } from '../../../src/keys/key-pool.ts';
import type { KeyStore } from '../../../src/keys/key-store.ts';
import { type JobContext, percentOf } from '../../job-context.ts';

/** Keys that are generated and added to the pool at once; a crash loses at most one block. */
const blockSize = 10_000;

/** Fills the pool up to `target`: first with returned keys that may be reused, then with new ones. Each concurrent run overfills the pool by at
 *  most one block. */
export async function replenishKeys(
  deps: { pool: KeyPool; generator: KeyGenerator; store: KeyStore },
  target: number,
  { reportProgress, signal }: JobContext,
) {
  const { pool, generator, store } = deps;
  let size = await pool.size();
  let added = 0;
  let reused = 0;
  while (size < target && !signal.aborted) {
    const wanted = Math.min(blockSize, target - size);
    const returned = await store.takeReturned(wanted);
    const keys = returned.length > 0 ? returned : await generator.createKeys(wanted, 'pool');
    size = await pool.add(keys);
    added += keys.length;
    reused += returned.length;
    await reportProgress(percentOf(size, target));
  }
  return { added, reused, poolSize: size, interrupted: size < target };
}
