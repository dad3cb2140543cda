import type { Knex } from '../storage/postgres/postgres.ts';
import { lowerCaseConstraint } from './code-case.ts';
import { inLowerCase, isShortCode } from './short-code.ts';

const batchSize = 5_000;
const maxListed = 20;
const upper = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const inAscii = `translate(short_code, '${upper}', '${upper.toLowerCase()}')`;

/** Some short codes cannot be stored in lower case; the message lists the first of them. */
export class CodesNotFolded extends Error {
  override readonly name = 'CodesNotFolded';
}

/** Stores every short code in lower case and makes the database reject upper case ASCII letters. Runs in one
 *  transaction: throws CodesNotFolded and changes nothing when two codes would become equal. Resolves to the number of
 *  changed codes. */
export async function foldCodes(db: Knex): Promise<number> {
  return await db.transaction(async (trx) => {
    // The triggers report changes of any other program, which keeps the caches up to date.
    await trx.raw(`set local application_name = 'fold-codes'`);
    await trx.raw(
      'lock table urls, url_aliases, reserved_keys, returned_keys, reports in share row exclusive mode',
    );
    const conflicts: string[] = [];
    await dropEqualAliases(trx);
    const count = await foldTable(trx, 'urls', conflicts);
    await foldTable(trx, 'url_aliases', conflicts);
    await foldTable(trx, 'reserved_keys', conflicts);
    if (conflicts.length > 0) throw new CodesNotFolded(describe(conflicts));
    await trx.raw(`
      delete from returned_keys where short_code <> ${inAscii};
      alter table urls drop constraint if exists ${lowerCaseConstraint},
        add constraint ${lowerCaseConstraint} check (short_code = ${inAscii})`);
    return count;
  });
}

/** Allows the database to store upper case letters again. Existing codes stay in lower case. */
export async function allowUpperCase(db: Knex): Promise<void> {
  await db.raw(`alter table urls drop constraint if exists ${lowerCaseConstraint}`);
}

/** Deletes aliases that equal another code of the same short URL in lower case. */
async function dropEqualAliases(trx: Knex): Promise<void> {
  const folded = (row: string) => inAscii.replace('short_code', `${row}.short_code`);
  await trx.raw(`
    delete from url_aliases a using urls u where u.id = a.url_id and ${folded('a')} = ${folded('u')};
    delete from url_aliases a using url_aliases b
    where b.url_id = a.url_id and b.short_code > a.short_code and ${folded('a')} = ${folded('b')}`);
}

/** Folds in JavaScript instead of SQL: PostgreSQL's case rules beyond ASCII depend on locale and version. */
async function foldTable(
  trx: Knex,
  table: 'urls' | 'url_aliases' | 'reserved_keys',
  conflicts: string[],
): Promise<number> {
  let after = '';
  let count = 0;
  for (;;) {
    const { rows } = await trx.raw<{ rows: { short_code: string }[] }>(
      `select short_code from ${table} where short_code > :after
         and (short_code <> ${inAscii} or octet_length(short_code) <> char_length(short_code))
       order by short_code limit ${batchSize}`,
      { after },
    );
    if (rows.length === 0) return count;
    after = rows.at(-1)!.short_code;
    const codes = rows.map((row) => row.short_code).filter((code) => inLowerCase(code) !== code);
    const free = await withoutConflicts(trx, codes, conflicts);
    count += free.length;
    const values = { codes: free, folded: free.map(inLowerCase) };
    for (const changed of table === 'urls' ? [table, 'reports'] : [table])
      await trx.raw(
        `update ${changed} set short_code = fold.folded
         from unnest(cast(:codes as text[]), cast(:folded as text[])) as fold (code, folded)
         where short_code = fold.code`,
        values,
      );
  }
}

/** Returns the codes that can be stored in lower case, and adds the others to `conflicts`. */
async function withoutConflicts(trx: Knex, codes: string[], conflicts: string[]): Promise<string[]> {
  const { rows } = await trx.raw<{ rows: { short_code: string }[] }>(
    `select short_code from urls where short_code = any(cast(:folded as text[]))
     union all select short_code from url_aliases where short_code = any(cast(:folded as text[]))
     union all select short_code from reserved_keys where short_code = any(cast(:folded as text[]))`,
    { folded: codes.map(inLowerCase) },
  );
  const taken = new Set(rows.map((row) => row.short_code));
  return codes.filter((code) => {
    const folded = inLowerCase(code);
    const isFree = !taken.has(folded) && (isShortCode(folded) || !isShortCode(code));
    taken.add(folded);
    if (!isFree) conflicts.push(code);
    return isFree;
  });
}

function describe(conflicts: string[]): string {
  const listed = conflicts.slice(0, maxListed).join(', ');
  const more = conflicts.length > maxListed ? ` and ${conflicts.length - maxListed} more` : '';
  return `In lower case, these short codes would equal other short codes or reserved keys, or be too long: ${listed}${more}. Purge one of each pair, then run this command again.`;
}
