import { createHmac } from 'node:crypto';
import { type Knex, onlyRow } from '../storage/postgres/postgres.ts';
import { createKeyPermutation, lowerCase } from './key-permutation.ts';
import { isCodeCaseIgnored, isShortCode } from './short-code.ts';

/** The generator has handed out every code of its length. */
export class KeySpaceExhausted extends Error {
  override readonly name = 'KeySpaceExhausted';
}

/** What a block of keys was reserved for. */
export type BlockPurpose = 'pool' | 'lot' | 'reservation' | 'import';

export type KeyGenerator = ReturnType<typeof createKeyGenerator>;

/** Makes short codes that were never made before, whatever crashes: numbers from a counter in PostgreSQL through a
 *  keyed permutation. A block whose process dies before using it is lost, which costs `size` of 62^7 codes. */
export function createKeyGenerator(db: Knex) {
  let loaded: Promise<{ secret: Buffer; code_length: number }> | undefined;
  const permutations = new Map<boolean, ReturnType<typeof createKeyPermutation>>();

  async function loadGenerator() {
    const { rows } = await db.raw<{ rows: { secret: Buffer; code_length: number }[] }>(
      'select secret, code_length from key_generator',
    );
    const [row] = rows;
    if (!row) throw new Error('key_generator is empty: run the migrations');
    return row;
  }

  /** The permutation for codes of both cases, or of lower case alone. Both count with the same numbers. */
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

  /** Reserves the next `size` numbers and records the block; one statement, so a crash leaves both or neither. */
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
    if (!row) throw new KeySpaceExhausted('every code of this length has been handed out');
    return row.first_number;
  }

  return {
    /** `size` fresh keys, less the few that happen to be reserved words. Throws KeySpaceExhausted when so many are not left. */
    async createKeys(size: number, purpose: BlockPurpose): Promise<string[]> {
      const permutation = await permutationOf(isCodeCaseIgnored());
      const first = await reserveNumbers(size, purpose, permutation.size);
      const codes = permutation.codesOf(Array.from({ length: size }, (_, i) => first + i));
      return codes.filter(isShortCode);
    },

    /** A secret for another purpose that all processes share, and that tells nothing about the keys. */
    async deriveSecret(purpose: string): Promise<Buffer> {
      const { rows } = await db.raw<{ rows: { secret: Buffer }[] }>('select secret from key_generator');
      return createHmac('sha256', onlyRow({ rows }).secret).update(purpose).digest();
    },
  };
}
