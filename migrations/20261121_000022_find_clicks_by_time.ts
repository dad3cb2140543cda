import type { Knex } from 'knex';

/** Questions about all short URLs in a time read that time alone. Hours and days come in their order, so that a few bytes for
 *  each stretch of the table tell which it has; counting changes none of them. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create index url_clicks_hourly_hour on url_clicks_hourly using brin (hour) with (pages_per_range = 32, autosummarize = on);
    create index url_clicks_daily_day on url_clicks_daily using brin (day) with (pages_per_range = 32, autosummarize = on)`);
}

export async function down(db: Knex): Promise<void> {
  await db.raw('drop index url_clicks_hourly_hour; drop index url_clicks_daily_day');
}
