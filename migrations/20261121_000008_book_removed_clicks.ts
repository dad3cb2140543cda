import type { Knex } from 'knex';

/** What keeps the books exact where another program deletes short URLs or truncates the table: their clicks are booked as
 *  purged. A statement adds them up in a setting of its transaction, since the books are one row: one update for each short URL
 *  would take ages for many. */
export async function up(db: Knex): Promise<void> {
  const { rows } = await db.raw<{ rows: [{ schema: string }] }>(
    'select quote_ident(current_schema()) as schema',
  );
  const asOwner = `language plpgsql security definer set search_path = ${rows[0].schema}, pg_temp`;
  const isForeign = `current_setting('application_name') not like 'linkmill-%'`;
  const sum = `cast(coalesce(nullif(current_setting('linkmill.removed_clicks', true), ''), '0') as bigint)`;
  await db.raw(`
    create function add_removed_clicks() returns trigger ${asOwner} as $$
      begin
        perform set_config('linkmill.removed_clicks', cast(${sum} + old.click_count as text), true);
        return old;
      end $$;

    create function book_removed_clicks() returns trigger ${asOwner} as $$
      begin
        update click_books set purged_clicks = purged_clicks + ${sum} where ${sum} > 0;
        perform set_config('linkmill.removed_clicks', '0', true);
        return null;
      end $$;

    create function book_truncated_clicks() returns trigger ${asOwner} as $$
      begin
        update click_books
        set purged_clicks = purged_clicks + (select coalesce(sum(click_count), 0) from url_stats);
        return null;
      end $$;
    revoke all on function add_removed_clicks, book_removed_clicks, book_truncated_clicks from public;

    -- Before: what follows a deletion follows that of its counters too late, when urls has had its turn.
    create trigger add_removed_clicks before delete on url_stats for each row
      when (${isForeign}) execute function add_removed_clicks();
    create trigger book_removed_clicks after delete on urls
      when (${isForeign}) execute function book_removed_clicks();
    create trigger book_truncated_clicks before truncate on url_stats
      when (${isForeign}) execute function book_truncated_clicks()`);
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    drop trigger add_removed_clicks on url_stats;
    drop trigger book_removed_clicks on urls;
    drop trigger book_truncated_clicks on url_stats;
    drop function add_removed_clicks, book_removed_clicks, book_truncated_clicks`);
}
