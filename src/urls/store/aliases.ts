import type { Knex } from '../../storage/postgres/postgres.ts';

/** SQL for the aliases (old codes) of a row of `urls u`, oldest first. */
export const aliasesOf = `array(
  select old.short_code from url_aliases old where old.url_id = u.id order by old.created_at, old.short_code
)`;

/** SQL that is true for the row of `urls u` with a code, current or alias, that an SQL expression yields. */
export const hasCodeOf = (code: string) => `u.id = coalesce(
  (select current.id from urls current where current.short_code = ${code}),
  (select old.url_id from url_aliases old where old.short_code = ${code})
)`;

/** SQL that is true for the row of `urls u` with the code `:shortCode`, current or alias. */
export const hasCode = hasCodeOf(':shortCode');

/** All codes that redirect to a short URL: the current one and its aliases. */
export const codesOf = ({ shortCode, aliases = [] }: { shortCode: string; aliases?: string[] }): string[] => [
  shortCode,
  ...aliases,
];

/** Whether an insert or a rename failed because the code is an alias or reserved. */
export const isCodeReserved = (error: unknown): boolean =>
  error instanceof Error && 'constraint' in error && error.constraint === 'urls_short_code_free';

/** Whether a rename failed because another short URL has the code. */
export const isCodeTaken = (error: unknown): boolean =>
  error instanceof Error && 'constraint' in error && error.constraint === 'urls_short_code_key';

/** Returns the aliases of the short URLs with these current codes. */
export async function findAliases(db: Knex, shortCodes: string[]): Promise<string[]> {
  const { rows } = await db.raw<{ rows: { shortCode: string }[] }>(
    `select a.short_code as "shortCode" from urls u join url_aliases a on a.url_id = u.id
     where u.short_code = any(cast(:shortCodes as text[]))`,
    { shortCodes },
  );
  return rows.map(({ shortCode }) => shortCode);
}
