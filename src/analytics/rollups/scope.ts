import { isShortCode } from '../../keys/short-code.ts';
import type { Knex } from '../../storage/postgres/postgres.ts';
import { hasCode as isOfCode } from '../../urls/store/aliases.ts';
import { isOwned, type Owner } from '../../urls/store/owner.ts';
import { UrlNotFound } from '../../urls/url.ts';

/** Whose clicks: those of one short URL, of all, or of those with a tag. Deleted ones are not there, nor are those of others than
 *  the owner. */
export interface UrlScope {
  owner: Owner;
  shortCode?: string | undefined;
  tag?: string | undefined;
}

/** Part of a statement, with its named bindings. */
export interface Sql {
  sql: string;
  bindings: Record<string, unknown>;
}

export const clicksOfHour = 'clicks_00 + clicks_15 + clicks_30 + clicks_45';

/** What is true of `url_id` of a scope's short URLs, whether or not there are any. */
export function conditionOf({ shortCode, owner, tag }: UrlScope): Sql {
  const hasCode = shortCode === undefined ? '' : `and ${isOfCode}`;
  const hasTag = tag === undefined ? '' : `and u.tags @> array[cast(:tag as text)] and u.tags <> '{}'`;
  return {
    sql: `url_id in (select u.id from urls u where u.deleted_at is null and ${isOwned} ${hasCode} ${hasTag})`,
    bindings: { owner, ...(shortCode !== undefined && { shortCode }), ...(tag !== undefined && { tag }) },
  };
}

/** The same; throws UrlNotFound for a short URL that is not there. */
export async function findUrls(trx: Knex, scope: UrlScope): Promise<Sql> {
  const { shortCode, owner } = scope;
  if (shortCode === undefined) return conditionOf(scope);
  const { rows } = await trx.raw<{ rows: { id: number }[] }>(
    `select u.id from urls u where ${isOfCode} and u.deleted_at is null and ${isOwned}`,
    { shortCode: isShortCode(shortCode) ? shortCode : '', owner },
  );
  if (!rows[0]) throw new UrlNotFound('no such short URL');
  return { sql: 'url_id = :urlId', bindings: { urlId: rows[0].id } };
}
