import type { Knex } from 'knex';

/** What bots are for: search, preview, ai, monitor, feed or other; empty for people, and for bots that an earlier release counted.
 *  `url_bots_daily` has the clicks of bots by kind and day of UTC, without those of unknown kind. It is a table of its own because earlier
 *  releases, which work with these tables, expect in `url_clicks_daily` each click in each dimension. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    alter table url_analytics add bot_kind text collate "C" not null default '';
    create table url_bots_daily (
      url_id bigint not null,
      day date not null,
      kind text collate "C" not null,
      clicks bigint not null,
      primary key (url_id, day, kind)
    ) with (fillfactor = 80)`);
  await replaceTruncation(db, (source) => source.replace(truncated, withBots));
}

export async function down(db: Knex): Promise<void> {
  await replaceTruncation(db, (source) => source.replace(withBots, truncated));
  await db.raw('drop table url_bots_daily; alter table url_analytics drop bot_kind');
}

const truncated = 'url_visitors_daily,';
const withBots = 'url_visitors_daily, url_bots_daily,';

/** Changes the function that empties the analytics with the short URLs, and nothing else of it. */
async function replaceTruncation(db: Knex, change: (source: string) => string): Promise<void> {
  const { rows } = await db.raw<{ rows: [{ definition: string }] }>(
    `select pg_get_functiondef(oid) as definition from pg_proc
     where proname = 'truncate_analytics' and pronamespace = quote_ident(current_schema())::regnamespace`,
  );
  // A question mark would be a binding.
  await db.raw(change(rows[0].definition).replaceAll('?', '\\?'));
}
