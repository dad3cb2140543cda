import type { Knex } from '../../storage/postgres/postgres.ts';

/** The old codes of a row of `urls u`, the oldest first. */
export const aliasesOf = `array(
  select old.short_code from url_aliases old where old.url_id = u.id order by old.created_at, old.short_code
)`;

/** True of the row of `urls u` that has the code `:shortCode`, now or as an old code. */
export const hasCode = `u.id = coalesce(
  (select current.id from urls current where current.short_code = :shortCode),
  (select old.url_id from url_aliases old where old.short_code = :shortCode)
)`;

/** The codes by which visitors reach a short URL: the current one and the old ones. */
export const codesOf = ({ shortCode, aliases = [] }: { shortCode: string; aliases?: string[] }): string[] => [
  shortCode,
  ...aliases,
];

/** Whether an insert or a rename failed because its code is an old code of a short URL, or was reserved meanwhile. */
export const isCodeHeld = (error: unknown): boolean =>
  error instanceof Error && 'constraint' in error && error.constraint === 'urls_short_code_free';

/** Whether a rename failed because another short URL has the code. */
export const isCodeInUse = (error: unknown): boolean =>
  error instanceof Error && 'constraint' in error && error.constraint === 'urls_short_code_key';

/** The old codes of the short URLs that have these current codes. */
export async function findAliases(db: Knex, shortCodes: string[]): Promise<string[]> {
  const { rows } = await db.raw<{ rows: { shortCode: string }[] }>(
    `select a.short_code as "shortCode" from urls u join url_aliases a on a.url_id = u.id
     where u.short_code = any(cast(:shortCodes as text[]))`,
    { shortCodes },
  );
  return rows.map(({ shortCode }) => shortCode);
}
