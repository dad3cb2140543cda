import type { Log } from '../log.ts';
import type { KeyGenerator } from './key-generator.ts';
import type { KeyPool } from './key-pool.ts';
import type { KeyStore } from './key-store.ts';
import { foldCode } from './short-code.ts';

/** Keys that a process takes from the pool at once, so that most creates cost no Redis round trip of their own. */
const leaseSize = 100;

export type Keys = ReturnType<typeof createKeys>;

/** A web process's way to keys: its lot in hand, then the pool, then, when Redis cannot help, PostgreSQL. A crash loses
 *  the lot in hand at most. `onLow` is called when a take leaves the pool below `lowWater`. */
export function createKeys(deps: {
  generator: KeyGenerator;
  pool: KeyPool;
  store: KeyStore;
  lowWater: number;
  onLow: () => void;
  log: Log;
}) {
  const { generator, pool, store, lowWater, onLow, log } = deps;
  const lot: string[] = [];
  let refilling: Promise<void> | undefined;

  async function takeFromPool(): Promise<string[]> {
    try {
      const { keys, left } = await pool.take(leaseSize);
      if (left < lowWater) onLow();
      return keys;
    } catch (error) {
      // Redis is down, slow or full: the generator gives keys just as good.
      log.debug({ err: error }, 'the key pool did not answer');
      return [];
    }
  }

  async function refillLot(): Promise<void> {
    const taken = await takeFromPool();
    lot.push(...(taken.length > 0 ? taken : await generator.createKeys(leaseSize, 'lot')));
  }

  return {
    /** A key that no other process holds. Throws what PostgreSQL throws when neither it nor the pool can give one. */
    async take(): Promise<string> {
      for (;;) {
        const key = lot.pop();
        // The pool may hold keys from before upper and lower case became the same.
        if (key !== undefined && foldCode(key) === key) return key;
        if (key !== undefined) continue;
        refilling ??= refillLot().finally(() => {
          refilling = undefined;
        });
        await refilling;
      }
    },

    /** Puts back a key that was taken and, as far as is known, not used: the judge refuses a second use. */
    putBack(key: string): void {
      lot.push(key);
    },

    /** Drops the key lease: its keys came from the pool of an earlier epoch. */
    dropLease(): void {
      lot.length = 0;
    },

    /** A key that was never in the pool, where anybody may have known it. */
    async takeFromGenerator(): Promise<string> {
      for (;;) {
        const [key] = await generator.createKeys(1, 'lot');
        if (key !== undefined) return key;
      }
    },

    /** Reserves `count` keys for the system that holds the API key; only it may create short URLs with them. */
    async reserve(count: number, apiKeyId: number): Promise<string[]> {
      const reserved: string[] = [];
      // A key that somebody chose as a custom code is left out; the next round replaces it.
      while (reserved.length < count) {
        const keys = await generator.createKeys(count - reserved.length, 'reservation');
        reserved.push(...(await store.reserve(keys, apiKeyId)));
      }
      return reserved;
    },

    /** Takes back reserved keys that were not used; resolves to those that were. */
    async giveBack(keys: string[], apiKeyId: number): Promise<string[]> {
      return await store.giveBack(keys, apiKeyId);
    },

    /** Gives the lot in hand back to the pool, when a process ends; without Redis it is lost, which harms nobody. */
    async returnLease(): Promise<void> {
      const keys = lot.splice(0);
      try {
        if (keys.length > 0) await pool.add(keys);
      } catch {
        // There are 62^7 keys, and nothing else remembers these.
      }
    },
  };
}
