/** The statement that purges the short URLs whose ids `expired` selects and locks, as `purged`. It also returns their
 *  generated codes for reuse after `:codeReuseDays`, adds their clicks to the ledger's totals, and records those that
 *  match `needsRemoval` as removals, so that no cache keeps them. `removedVersion` is the version of a removal.
 *  Counters are locked in the order of a flush to avoid deadlocks. */
export const purgeStatement = (
  expired: string,
  { needsRemoval, removedVersion }: { needsRemoval: string; removedVersion: string },
) => `
  with expired as materialized (${expired}),
  counters as materialized (
    select url_id, click_count from url_stats where url_id in (select id from expired) order by url_id for update
  ), purged as (
    delete from urls where id in (select url_id from counters)
    returning short_code, code_is_generated, created_by, updated_at, ${removedVersion} as removed_version
  ), removed as (
    insert into url_removals (short_code, version)
    select short_code, removed_version from purged where ${needsRemoval}
    on conflict (short_code) do update set version = excluded.version,
      removed_in = excluded.removed_in, removed_at = excluded.removed_at
  ), returned as (
    insert into returned_keys (short_code, available_at)
    select short_code, cast(:now as timestamptz) + make_interval(days => :codeReuseDays)
    from purged where code_is_generated
    on conflict do nothing
  ), totals as (
    update click_ledger_totals set purged_clicks = purged_clicks + (select sum(click_count) from counters)
    where exists (select from counters where click_count > 0)
  )`;

/** How long deleted short URLs and their codes are kept. */
export interface Retention {
  /** Until a deleted or expired short URL is purged. */
  days: number;
  /** Until the generated code of a purged short URL can be generated again. */
  codeReuseDays: number;
}
