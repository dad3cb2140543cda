import type { Knex } from 'knex';

/** What makes the books of clicks balance: `accepted`, what each web process says that it took on; and, in one row, the
 *  clicks of producers and of short URLs that are no longer there. `producers_removed_through` is the birth of the
 *  youngest producer that was removed: an unknown one that is older may have been counted before. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    alter table click_producers
      add accepted bigint not null default 0,
      add reported_at timestamptz;
    update click_producers set accepted = clicks;
    create table click_books (
      only_row boolean primary key default true check (only_row),
      removed_accepted bigint not null default 0,
      removed_clicks bigint not null default 0,
      purged_clicks bigint not null default 0,
      producers_removed_through timestamptz
    );
    -- Clicks on short URLs that were purged before anybody wrote them down.
    insert into click_books (purged_clicks) select
      (select coalesce(sum(clicks), 0) from click_producers) - (select coalesce(sum(click_count), 0) from url_stats)`);
}

export async function down(db: Knex): Promise<void> {
  await db.raw(`
    drop table click_books;
    alter table click_producers drop accepted, drop reported_at`);
}
