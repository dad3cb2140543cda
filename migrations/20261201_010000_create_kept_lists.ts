import type { Knex } from 'knex';

/** What lists answer from when there are more than 100,000 short URLs, and counting or sorting them would take seconds. The job
 *  `summarise-urls` writes it. An `owner` is an API key, or 0 for all short URLs.
 *
 *  `url_summaries`: short URLs and clicks by tag and by host. `url_summary_parts`: the same of a pass in progress, for the short URLs that it
 *  has read; without write-ahead log, because a pass begins again after a crash.
 *  `url_summary_pass`: the one row of the pass, from the first one on. `as_of` is when the last complete pass began, null without one, and `owners` those whose
 *  summaries are kept; `number` is that of the pass in progress, `active_at` when it last read, null without one.
 *  `url_leaders`: the ids that come first by clicks or by last click. */
export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create table url_summaries (
      owner bigint not null,
      kind text collate "C" not null,
      name text not null,
      urls bigint not null,
      clicks bigint not null,
      primary key (owner, kind, name)
    );
    create index url_summaries_urls on url_summaries (owner, kind, (-urls), name);
    create index url_summaries_clicks on url_summaries (owner, kind, (-clicks), name);
    create unlogged table url_summary_parts (like url_summaries, primary key (owner, kind, name));
    create table url_summary_pass (
      id boolean primary key default true check (id),
      number bigint not null,
      active_at timestamptz,
      owners bigint[] not null default '{}',
      as_of timestamptz,
      seconds real not null default 0
    );
    create table url_leaders (
      owner bigint not null,
      sort text collate "C" not null,
      url_ids bigint[] not null,
      as_of timestamptz not null,
      seconds real not null,
      primary key (owner, sort)
    )`);
}

export async function down(db: Knex): Promise<void> {
  await db.raw('drop table url_summaries, url_summary_parts, url_summary_pass, url_leaders');
}
