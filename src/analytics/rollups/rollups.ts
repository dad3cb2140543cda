import type { ClickCount } from '../../clicks/click-batch.ts';
import type { ClickDetail } from '../../clicks/click-detail.ts';
import type { Knex } from '../../storage/postgres/postgres.ts';

/** Maximum number of distinct values per short URL, day and dimension, not counting unknown; further values count as
 *  `otherValue`. */
export const maxValues = 200;
/** Catch-all for values beyond `maxValues`. */
export const otherValue = '*';

/** Maximum length of a value; a host name has at most 253 characters. */
const maxLength = 255;
/** Clicks per statement, which takes about a second. */
const sliceSize = 20_000;

const unknown: ClickDetail = {
  country: '',
  referrer: '',
  browser: '',
  os: '',
  device: '',
  isBot: false,
  visitor: '',
};

/** Adds clicks to all tables of the analytics. The transaction holds the locks of their short URLs' counters, so no
 *  other transaction changes the same rows, and totals stay consistent. */
export async function addToAnalytics(trx: Knex, clicks: ClickCount[]): Promise<void> {
  if (clicks.length === 0) return;
  await trx.raw(planSql);
  for (let i = 0; i < clicks.length; i += sliceSize)
    await trx.raw(addSql, toColumns(clicks.slice(i, i + sliceSize)));
}

function toColumns(clicks: ClickCount[]) {
  const details = clicks.map(({ detail }) => detail ?? unknown);
  const textsOf = (name: 'country' | 'referrer' | 'browser' | 'os' | 'device') =>
    details.map((detail) => sanitize(detail[name]));
  return {
    urlIds: arrayLiteral(clicks.map(({ urlId }) => urlId)),
    atMs: arrayLiteral(clicks.map(({ lastAtMs }) => lastAtMs)),
    clicks: arrayLiteral(clicks.map(({ count }) => count)),
    areBots: arrayLiteral(details.map(({ isBot }) => isBot)),
    botKinds: details.map(({ isBot, botKind }) => (isBot && botKind) || ''),
    visitors: arrayLiteral(details.map(({ visitor }) => toInt64(visitor))),
    countries: textsOf('country'),
    referrers: textsOf('referrer'),
    browsers: textsOf('browser'),
    systems: textsOf('os'),
    devices: textsOf('device'),
    maxValues,
    otherValue,
  };
}

/** Makes a text valid for PostgreSQL: a single rejected text would block all later clicks. */
function sanitize(text: string): string {
  if (text.length <= maxLength && !text.includes('\0')) return text;
  return text.replaceAll('\0', '').slice(0, maxLength);
}

/** Formats an array literal of values that need no quotes. This is faster than in pg, which inspects each element. */
const arrayLiteral = (values: (number | bigint | boolean | 'null')[]) => `{${values.join(',')}}`;

/** Converts 16 hexadecimal digits to a bigint; null for anything else. */
function toInt64(visitor: string): bigint | 'null' {
  return /^[0-9a-f]{16}$/.test(visitor) ? BigInt.asIntN(64, BigInt(`0x${visitor}`)) : 'null';
}

const clicksIn = (quarter: number) => `coalesce(sum(clicks) filter (where quarter = ${quarter}), 0)`;
const botsIn = (quarter: number) => `coalesce(sum(bots) filter (where quarter = ${quarter}), 0)`;

/** Planner settings for the transaction: index look-ups instead of a join that may scan the whole table, and sorting
 *  in memory. */
const planSql = `select set_config('random_page_cost', '1.1', true), set_config('work_mem', '16MB', true)`;

/** Computes hours and days from milliseconds, independent of the session's time zone. If new values exceed
 *  `maxValues`, the most clicked are kept; unknown values do not count against it. */
const addSql = `
  with click as materialized (
    select *, to_timestamp(at_ms / 1000.0) as at, to_timestamp(at_ms / 3600000 * 3600) as hour,
           at_ms / 900000 % 4 as quarter, date '1970-01-01' + cast(at_ms / 86400000 as integer) as day,
           case when is_bot then clicks else 0 end as bots
    from unnest(cast(:urlIds as bigint[]), cast(:atMs as bigint[]), cast(:clicks as bigint[]), cast(:areBots as boolean[]), cast(:botKinds as text[]),
                cast(:visitors as bigint[]), cast(:countries as text[]), cast(:referrers as text[]),
                cast(:browsers as text[]), cast(:systems as text[]), cast(:devices as text[]))
      as click (url_id, at_ms, clicks, is_bot, bot_kind, visitor, country, referrer, browser, os, device)
  ), kept as (
    insert into url_analytics (url_id, at, visitor, clicks, is_bot, bot_kind, country, referrer, browser, os, device)
    select url_id, at, visitor, clicks, is_bot, bot_kind, country, referrer, browser, os, device from click
    where visitor is not null and at >= (select events_since from analytics_state)
  ), hourly as (
    insert into url_clicks_hourly as known (url_id, hour, clicks_00, clicks_15, clicks_30, clicks_45,
                                            bots_00, bots_15, bots_30, bots_45, event_clicks)
    select url_id, hour, ${[0, 1, 2, 3].map(clicksIn).join(', ')}, ${[0, 1, 2, 3].map(botsIn).join(', ')},
           coalesce(sum(clicks) filter (where visitor is not null), 0)
    from click group by url_id, hour
    on conflict (url_id, hour) do update set
      clicks_00 = known.clicks_00 + excluded.clicks_00, clicks_15 = known.clicks_15 + excluded.clicks_15,
      clicks_30 = known.clicks_30 + excluded.clicks_30, clicks_45 = known.clicks_45 + excluded.clicks_45,
      bots_00 = known.bots_00 + excluded.bots_00, bots_15 = known.bots_15 + excluded.bots_15,
      bots_30 = known.bots_30 + excluded.bots_30, bots_45 = known.bots_45 + excluded.bots_45,
      event_clicks = known.event_clicks + excluded.event_clicks
  ), kinds as (
    insert into url_bots_daily as known (url_id, day, kind, clicks)
    select url_id, day, bot_kind, sum(clicks) from click where bot_kind <> '' group by 1, 2, 3
    on conflict (url_id, day, kind) do update set clicks = known.clicks + excluded.clicks
  ), cut as materialized (
    select url_id, dimension, day, value collate "C" as value, sum(clicks) as clicks, sum(bots) as bots
    from click cross join lateral (values
      (cast('country' as click_dimension), country), ('referrer', referrer), ('browser', browser), ('os', os), ('device', device)
    ) as part (dimension, value)
    group by 1, 2, 3, 4
  ), known as (
    update url_clicks_daily d set clicks = d.clicks + cut.clicks, bots = d.bots + cut.bots
    from cut
    where d.url_id = cut.url_id and d.dimension = cut.dimension and d.day = cut.day and d.value = cut.value
      and cut.value <> :otherValue
    returning cut.url_id, cut.dimension, cut.day, cut.value
  ), new_value as materialized (
    select *, row_number() over (
      partition by url_id, dimension, day order by value <> '', value = :otherValue, clicks desc, value
    ) - count(*) filter (where value = '') over (partition by url_id, dimension, day) as rank
    from cut where (url_id, dimension, day, value) not in (select * from known)
  ), room as materialized (
    -- Only for days with new values, and once for all of them.
    select url_id, dimension, day, :maxValues - (
      select count(*) from url_clicks_daily d
      where d.url_id = new_value.url_id and d.dimension = new_value.dimension and d.day = new_value.day
        and d.value not in ('', :otherValue)
    ) as free_slots
    from new_value group by url_id, dimension, day
  ), ranked as materialized (
    select *, rank <= free_slots and value <> :otherValue as has_room from new_value join room using (url_id, dimension, day)
  )
  insert into url_clicks_daily as known (url_id, dimension, day, value, clicks, bots)
  select url_id, dimension, day, value, clicks, bots from ranked where has_room
  union all
  select url_id, dimension, day, :otherValue, sum(clicks), sum(bots) from ranked where not has_room group by 1, 2, 3
  on conflict (url_id, dimension, day, value) do update set
    clicks = known.clicks + excluded.clicks, bots = known.bots + excluded.bots`;
