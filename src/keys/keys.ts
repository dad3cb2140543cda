import type { Log } from '../log.ts';
import type { KeyGenerator } from './key-generator.ts';
import type { KeyPool } from './key-pool.ts';
import type { KeyStore } from './key-store.ts';
import { foldCode } from './short-code.ts';

/** Keys per lease. With 100, most creates need no Redis round trip for their key. */
const leaseSize = 100;

export type Keys = ReturnType<typeof createKeys>;

/** Supplies a web process with keys: from its lease, then from the pool, then from PostgreSQL when Redis fails. A
 *  crash loses at most one lease. `onLow` is called when a lease leaves fewer than `lowWater` keys in the pool. */
export function createKeys(deps: {
  generator: KeyGenerator;
  pool: KeyPool;
  store: KeyStore;
  lowWater: number;
  onLow: () => void;
  log: Log;
}) {
  const { generator, pool, store, lowWater, onLow, log } = deps;
  const lease: string[] = [];
  let renewing: Promise<void> | undefined;

  async function takeFromPool(): Promise<string[]> {
    try {
      const { keys, left } = await pool.take(leaseSize);
      if (left < lowWater) onLow();
      return keys;
    } catch (error) {
      // Redis is down, slow or full. Keys from the generator are equally good.
      log.debug({ err: error }, 'failed to take keys from the pool');
      return [];
    }
  }

  async function renewLease(): Promise<void> {
    const taken = await takeFromPool();
    lease.push(...(taken.length > 0 ? taken : await generator.createKeys(leaseSize, 'lease')));
  }

  return {
    /** Takes a key that no other process has. Throws the error of PostgreSQL when neither it nor the pool can supply
     *  one. */
    async take(): Promise<string> {
      for (;;) {
        const key = lease.pop();
        // The pool may still contain mixed-case keys from before codes became case-insensitive.
        if (key !== undefined && foldCode(key) === key) return key;
        if (key !== undefined) continue;
        renewing ??= renewLease().finally(() => {
          renewing = undefined;
        });
        await renewing;
      }
    },

    /** Returns an apparently unused key to the lease. The unique index rejects a second use. */
    putBack(key: string): void {
      lease.push(key);
    },

    /** Drops the key lease: its keys come from the pool of an earlier epoch. */
    dropLease(): void {
      lease.length = 0;
    },

    /** Generates a key that was never in the pool, so no other client can have seen it. */
    async takeFromGenerator(): Promise<string> {
      for (;;) {
        const [key] = await generator.createKeys(1, 'lease');
        if (key !== undefined) return key;
      }
    },

    /** Reserves `count` keys for the system that owns the API key; only that system can create short URLs with them. */
    async reserve(count: number, apiKeyId: number): Promise<string[]> {
      const reserved: string[] = [];
      // Keys that are already used as custom codes are skipped; the next round replaces them.
      while (reserved.length < count) {
        const keys = await generator.createKeys(count - reserved.length, 'reservation');
        reserved.push(...(await store.reserve(keys, apiKeyId)));
      }
      return reserved;
    },

    /** Releases reserved keys that no short URL uses; resolves to the released ones. */
    async release(keys: string[], apiKeyId: number): Promise<string[]> {
      return await store.release(keys, apiKeyId);
    },

    /** Returns the lease to the pool at shutdown. Without Redis the keys are lost, which is harmless. */
    async returnLease(): Promise<void> {
      const keys = lease.splice(0);
      try {
        if (keys.length > 0) await pool.add(keys);
      } catch {
        // There are 62^7 keys, and no other place stores these.
      }
    },
  };
}
