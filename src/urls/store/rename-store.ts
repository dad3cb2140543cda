import type { Knex } from '../../storage/postgres/postgres.ts';
import { InputRejected } from '../input/rules.ts';
import { CodeTaken } from '../url.ts';
import { hasCode } from './aliases.ts';
import { isOneOfVersions, isOwned, type Owner } from './owner.ts';

/** Old codes that a short URL may have: each change of it is announced for each of them. */
const maxAliases = 100;

/** Another code for a short URL, and what becomes of the current one. */
export interface Renaming {
  /** The new code. */
  to: string;
  /** Whether the current code keeps redirecting. */
  keepsOldCode: boolean;
  /** How long a code that does not keep redirecting is reserved for the API key that created the short URL. */
  reservedDays: number;
  /** Who asks. */
  apiKeyId: number;
}

interface Renamed {
  id: number;
  shortCode: string;
  createdBy: number | null;
}

/** Locks an owner's short URL and, unless it has the new code already, makes the new code free to take for it and keeps or reserves the
 *  current one. Resolves to the current code; undefined when there is none of these versions. The caller then changes the code in
 *  the same transaction. Throws CodeTaken or InputRejected. */
export async function prepareRename(
  trx: Knex,
  shortCode: string,
  renaming: Renaming,
  { owner, versions }: { owner: Owner; versions: number[] | undefined },
): Promise<string | undefined> {
  const { rows } = await trx.raw<{ rows: Renamed[] }>(
    `select u.id, u.short_code as "shortCode", u.created_by as "createdBy" from urls u
     where ${hasCode} and u.deleted_at is null and ${isOwned} and ${isOneOfVersions} for update`,
    { shortCode, owner, versions: versions ?? null },
  );
  const [url] = rows;
  if (!url || url.shortCode === renaming.to) return url?.shortCode;
  await takeCode(trx, url, renaming);
  if (renaming.keepsOldCode) await keepOldCode(trx, url);
  else await reserveOldCode(trx, url, renaming.reservedDays);
  return url.shortCode;
}

/** Removes what keeps the new code for the short URL: that it is an old code of it, a reservation, or that it may be generated again. */
async function takeCode(
  trx: Knex,
  { id, createdBy }: Renamed,
  { to: code, apiKeyId }: Renaming,
): Promise<void> {
  const { rows } = await trx.raw<{ rows: [{ isTaken: boolean }] }>(
    `with old as (
       delete from url_aliases where short_code = :code and url_id = :id
     ), reserved as (
       delete from reserved_keys where short_code = :code
         and (api_key_id = any(cast(:holders as bigint[])) or reserved_until <= now())
     ), returned as (
       delete from returned_keys where short_code = :code
     )
     select exists (select from url_aliases where short_code = :code and url_id <> :id)
       or exists (
         select from reserved_keys where short_code = :code and api_key_id <> all(cast(:holders as bigint[]))
           and (reserved_until is null or reserved_until > now())
       ) as "isTaken"`,
    { code, id, holders: createdBy === null ? [apiKeyId] : [apiKeyId, createdBy] },
  );
  if (rows[0].isTaken) throw new CodeTaken(`the code ${code} is taken`);
}

async function keepOldCode(trx: Knex, { id, shortCode }: Renamed): Promise<void> {
  const { rows } = await trx.raw<{ rows: object[] }>(
    `insert into url_aliases (short_code, url_id)
     select cast(:shortCode as text), cast(:id as bigint)
     where (select count(*) from url_aliases where url_id = :id) < :maxAliases
     returning 1`,
    { shortCode, id, maxAliases },
  );
  if (rows.length > 0) return;
  const reason = `cannot change again: the short URL has ${maxAliases} old codes`;
  throw new InputRejected([{ asked: 'shortCode', reason }]);
}

async function reserveOldCode(trx: Knex, { shortCode, createdBy }: Renamed, days: number): Promise<void> {
  if (createdBy === null || days === 0) return;
  await trx.raw(
    `insert into reserved_keys (short_code, api_key_id, reserved_until)
     values (:shortCode, :createdBy, now() + make_interval(days => :days))
     on conflict (short_code) do nothing`,
    { shortCode, createdBy, days },
  );
}
