import type { Knex } from 'knex';

/** Counters, apart from the definitions: small rows with room on each page and no index on what counting changes,
 *  so that a flush rewrites them in place and never touches a short URL's version. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table url_stats (
      url_id bigint primary key references urls (id) on delete cascade,
      click_count bigint not null default 0,
      last_accessed_at timestamptz
    ) with (fillfactor = 70)`);
}

export async function down(db: Knex): Promise<void> {
  await db.raw('drop table url_stats');
}
