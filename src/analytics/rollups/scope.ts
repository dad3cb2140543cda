import { isShortCode } from '../../keys/short-code.ts';
import type { Knex } from '../../storage/postgres/postgres.ts';
import { hasCode as isOfCode } from '../../urls/store/aliases.ts';
import { isOwned, type Owner } from '../../urls/store/owner.ts';
import { UrlNotFound } from '../../urls/url.ts';

/** Selects clicks: of one short URL, of all, or of those with a tag. Excludes deleted short URLs and those of other
 *  owners. */
export interface UrlScope {
  owner: Owner;
  shortCode?: string | undefined;
  tag?: string | undefined;
}

/** SQL fragment with its named bindings. */
export interface Sql {
  sql: string;
  bindings: Record<string, unknown>;
}

export const clicksOfHour = 'clicks_00 + clicks_15 + clicks_30 + clicks_45';

/** SQL condition on `url_id` for the short URLs of a scope, which may be none. */
export function conditionOf({ shortCode, owner, tag }: UrlScope): Sql {
  const hasCode = shortCode === undefined ? '' : `and ${isOfCode}`;
  const hasTag = tag === undefined ? '' : `and u.tags @> array[cast(:tag as text)] and u.tags <> '{}'`;
  return {
    sql: `url_id in (select u.id from urls u where u.deleted_at is null and ${isOwned} ${hasCode} ${hasTag})`,
    bindings: { owner, ...(shortCode !== undefined && { shortCode }), ...(tag !== undefined && { tag }) },
  };
}

/** Like `conditionOf`, but throws UrlNotFound for a short URL that does not exist. */
export async function findUrls(trx: Knex, scope: UrlScope): Promise<Sql> {
  const { shortCode, owner } = scope;
  if (shortCode === undefined) return conditionOf(scope);
  const { rows } = await trx.raw<{ rows: { id: number }[] }>(
    `select u.id from urls u where ${isOfCode} and u.deleted_at is null and ${isOwned}`,
    { shortCode: isShortCode(shortCode) ? shortCode : '', owner },
  );
  if (!rows[0]) throw new UrlNotFound('short URL not found');
  return { sql: 'url_id = :urlId', bindings: { urlId: rows[0].id } };
}
