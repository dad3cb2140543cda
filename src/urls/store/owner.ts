/** The API key to whose short URLs an operation is restricted; null for all short URLs. */
export type Owner = number | null;

/** SQL that is true for a row of `urls u` of `:owner`. Every statement that reads or changes short URLs for an API key
 *  includes it. */
export const isOwned = '(cast(:owner as bigint) is null or u.created_by = :owner)';

/** SQL that is true for a row of `urls u` with one of `:versions`, or always if `:versions` is null. */
export const isOneOfVersions =
  '(cast(:versions as bigint[]) is null or u.version = any(cast(:versions as bigint[])))';
