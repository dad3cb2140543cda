/** The id of the API key whose short URLs alone are meant, or null for anybody's. */
export type Owner = number | null;

/** True of a row of `urls u` that is `:owner`'s. Every statement that reads or changes short URLs for an API key has it, so that those
 *  of others are not there for it. */
export const isOwned = '(cast(:owner as bigint) is null or u.created_by = :owner)';

/** True of a row of `urls u` that has one of `:versions`, if there are any. */
export const isOneOfVersions =
  '(cast(:versions as bigint[]) is null or u.version = any(cast(:versions as bigint[])))';
