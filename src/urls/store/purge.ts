/** The statement that removes the short URLs whose ids `old` selects and locks, as `purged`. In the same statement their generated
 *  codes become returned keys, which may be generated again after `:codeReuseDays`, their clicks are added to the books, and those
 *  of which `isNoted` holds become removals, so that no cache keeps them. `removedVersion` is the version of a removal. Counters are
 *  locked in the order of a flush, so that the two do not deadlock. */
export const purgeOf = (
  old: string,
  { isNoted, removedVersion }: { isNoted: string; removedVersion: string },
) => `
  with old as materialized (${old}),
  counters as materialized (
    select url_id, click_count from url_stats where url_id in (select id from old) order by url_id for update
  ), purged as (
    delete from urls where id in (select url_id from counters)
    returning short_code, code_is_generated, created_by, updated_at, ${removedVersion} as removed_version
  ), removed as (
    insert into url_removals (short_code, version)
    select short_code, removed_version from purged where ${isNoted}
    on conflict (short_code) do update set version = excluded.version,
      removed_in = excluded.removed_in, removed_at = excluded.removed_at
  ), returned as (
    insert into returned_keys (short_code, available_at)
    select short_code, cast(:now as timestamptz) + make_interval(days => :codeReuseDays)
    from purged where code_is_generated
    on conflict do nothing
  ), books as (
    update click_books set purged_clicks = purged_clicks + (select sum(click_count) from counters)
    where exists (select from counters where click_count > 0)
  )`;

/** How long what is deleted, and its code, is kept. */
export interface Retention {
  /** Until a deleted or expired short URL is purged. */
  days: number;
  /** Until the generated code of a purged short URL may be generated again. */
  codeReuseDays: number;
}
