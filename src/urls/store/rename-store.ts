import type { Knex } from '../../storage/postgres/postgres.ts';
import { InputRejected } from '../input/rules.ts';
import { CodeTaken } from '../url.ts';
import { hasCode } from './aliases.ts';
import { isOneOfVersions, isOwned, type Owner } from './owner.ts';

/** Aliases per short URL: each of its changes is published under every alias. */
const maxAliases = 100;

/** A new code for a short URL, and the treatment of its current one. */
export interface Renaming {
  /** The new code. */
  to: string;
  /** Whether the current code keeps redirecting, as an alias. */
  keepsOldCode: boolean;
  /** How long the current code is otherwise reserved for the API key that created the short URL. */
  reservedDays: number;
  /** The API key that renames it. */
  apiKeyId: number;
}

interface Renamed {
  id: number;
  shortCode: string;
  createdBy: number | null;
}

/** Locks an owner's short URL, makes the new code available to it, and keeps or reserves the current one. Does nothing
 *  if it already has the new code. Resolves to the current code; undefined if it does not exist in one of these
 *  versions. The caller changes the code in the same transaction. Throws CodeTaken or InputRejected. */
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
  await freeCode(trx, url, renaming);
  if (renaming.keepsOldCode) await keepOldCode(trx, url);
  else await reserveOldCode(trx, url, renaming.reservedDays);
  return url.shortCode;
}

/** Removes the short URL's own alias, reservation and returned key for the new code. */
async function freeCode(
  trx: Knex,
  { id, createdBy }: Renamed,
  { to: code, apiKeyId }: Renaming,
): Promise<void> {
  const { rows } = await trx.raw<{ rows: [{ isTaken: boolean }] }>(
    `with own_alias as (
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
  if (rows[0].isTaken) throw new CodeTaken(`the code ${code} is already in use`);
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
  const reason = `cannot be changed: the short URL already has ${maxAliases} former codes`;
  throw new InputRejected([{ field: 'shortCode', reason }]);
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
