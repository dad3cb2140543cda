import type { Knex } from '../../storage/postgres/postgres.ts';

/** Which short codes a create can use. */
export const createCodeStore = (db: Knex) => ({
  /** Returns those of the codes, in order, with which this API key can create a short URL: no short URL has or had them, also a
   *  deleted one, and they are not reserved for another API key. The rules are those of an insert. */
  async findFreeCodes(codes: string[], apiKeyId: number): Promise<string[]> {
    const { rows } = await db.raw<{ rows: { code: string }[] }>(
      `select code from unnest(cast(:codes as text[])) with ordinality as wanted (code, position)
       where not exists (select from urls where short_code = code)
         and not exists (select from url_aliases where short_code = code)
         and not exists (
           select from reserved_keys where short_code = code and api_key_id <> :apiKeyId
             and (reserved_until is null or reserved_until > now())
         )
       order by position`,
      { codes, apiKeyId },
    );
    return rows.map(({ code }) => code);
  },
});
