import { createHmac } from 'node:crypto';
import type { Knex } from '../storage/postgres/postgres.ts';
import { createKeyPermutation, lowerCase } from './key-permutation.ts';
import { isCodeCaseIgnored, isShortCode } from './short-code.ts';

declare module 'knex/types/tables.js' {
  interface Tables {
    key_generator: { secret: Buffer; code_length: number; next_number: number };
  }
}

/** The generator has issued every code of its length. */
export class KeySpaceExhausted extends Error {
  override readonly name = 'KeySpaceExhausted';
}

/** What a block of keys was reserved for. */
export type BlockPurpose = 'pool' | 'lease' | 'reservation' | 'import';

export type KeyGenerator = ReturnType<typeof createKeyGenerator>;

/** Generates short codes that are unique even across crashes: numbers from a counter in PostgreSQL, mapped by a keyed
 *  permutation. If a process dies before it uses its block, `size` of the 62^7 codes are lost. */
export function createKeyGenerator(db: Knex) {
  let loaded: Promise<{ secret: Buffer; code_length: number }> | undefined;
  const permutations = new Map<boolean, ReturnType<typeof createKeyPermutation>>();

  async function loadGenerator() {
    const row = await db('key_generator').first('secret', 'code_length');
    if (!row) throw new Error('key_generator is empty: run the migrations');
    return row;
  }

  /** Returns the permutation for mixed-case or lower-case codes. Both use the same numbers. */
  async function permutationOf(isLowerCase: boolean) {
    loaded ??= loadGenerator();
    const row = await loaded.catch((error: unknown) => {
      loaded = undefined;
      throw error;
    });
    const permutation =
      permutations.get(isLowerCase) ??
      createKeyPermutation(row.secret, row.code_length, isLowerCase ? lowerCase : undefined);
    permutations.set(isLowerCase, permutation);
    return permutation;
  }

  /** Reserves the next `size` numbers and records the block. One statement: a crash leaves both or neither. */
  async function reserveNumbers(size: number, purpose: BlockPurpose, limit: number): Promise<number> {
    const { rows } = await db.raw<{ rows: { first_number: number }[] }>(
      `with block as (
         update key_generator set next_number = next_number + cast(:size as bigint)
         where next_number + cast(:size as bigint) <= :limit
         returning next_number - cast(:size as bigint) as first_number
       )
       insert into key_blocks (first_number, size, purpose)
       select first_number, cast(:size as integer), cast(:purpose as text) from block
       returning first_number`,
      { size, purpose, limit },
    );
    const [row] = rows;
    if (!row) throw new KeySpaceExhausted('all codes of this length have been issued');
    return row.first_number;
  }

  return {
    /** Creates up to `size` keys; the few that are reserved words are left out. Throws KeySpaceExhausted when fewer
     *  than `size` numbers remain. */
    async createKeys(size: number, purpose: BlockPurpose): Promise<string[]> {
      const permutation = await permutationOf(isCodeCaseIgnored());
      const first = await reserveNumbers(size, purpose, permutation.size);
      const codes = permutation.codesOf(Array.from({ length: size }, (_, i) => first + i));
      return codes.filter(isShortCode);
    },

    /** Derives a secret that all processes share for another purpose, and that reveals nothing about the keys. */
    async deriveSecret(purpose: string): Promise<Buffer> {
      const { secret } = await loadGenerator();
      return createHmac('sha256', secret).update(purpose).digest();
    },
  };
}
