import type { ClickCount } from '../../clicks/click-batch.ts';
import type { ClickDetail } from '../../clicks/click-detail.ts';
import type { Knex } from '../../storage/postgres/postgres.ts';
import { holdSegment } from './segments.ts';

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

/** Adds clicks to the analytics: to the roll-ups by hour, and to the click events or, without an event, to the pending clicks, all of
 *  which are rolled up by day later. The transaction holds the locks of their short URLs' counters, so no other transaction changes the
 *  same rows, and totals stay consistent. */
export async function addToAnalytics(trx: Knex, clicks: ClickCount[]): Promise<void> {
  if (clicks.length === 0) return;
  await trx.raw(prepareSql);
  for (let i = 0; i < clicks.length; i += sliceSize)
    await trx.raw(addSql, toColumns(clicks.slice(i, i + sliceSize)));
}

function toColumns(clicks: ClickCount[]) {
  const details = clicks.map(({ detail }) => detail ?? unknown);
  const literalOf = createTextLiteral();
  const textsOf = (name: 'country' | 'referrer' | 'browser' | 'os' | 'device') =>
    arrayLiteral(details.map((detail) => literalOf(detail[name])));
  const visitors = details.map(({ visitor }) => (visitorPattern.test(visitor) ? visitor : undefined));
  const halvesOf = (begin: number) =>
    arrayLiteral(
      visitors.map((visitor) =>
        visitor === undefined ? 'null' : Number.parseInt(visitor.slice(begin, begin + 8), 16),
      ),
    );
  return {
    urlIds: arrayLiteral(clicks.map(({ urlId }) => urlId)),
    atMs: arrayLiteral(clicks.map(({ lastAtMs }) => lastAtMs)),
    clicks: arrayLiteral(clicks.map(({ count }) => count)),
    areBots: arrayLiteral(details.map(({ isBot }) => isBot)),
    botKinds: arrayLiteral(details.map(({ isBot, botKind }) => literalOf((isBot && botKind) || ''))),
    visitorHighs: halvesOf(0),
    visitorLows: halvesOf(8),
    countries: textsOf('country'),
    referrers: textsOf('referrer'),
    browsers: textsOf('browser'),
    systems: textsOf('os'),
    devices: textsOf('device'),
  };
}

/** 64 bits, which are sent in two halves: the conversion to a BigInt takes longer than all other columns. */
const visitorPattern = /^[0-9a-f]{16}$/;

/** Formats an array literal of elements that are numbers or literals. This is faster than in pg, which inspects each element. */
const arrayLiteral = (elements: (number | boolean | string)[]) => `{${elements.join(',')}}`;

/** Formats texts as elements of an array literal. Clicks repeat most texts. */
function createTextLiteral(): (text: string) => string {
  const literals = new Map<string, string>();
  return (text) => {
    const known = literals.get(text);
    if (known !== undefined) return known;
    const literal = `"${sanitize(text).replaceAll(/["\\]/g, String.raw`\$&`)}"`;
    literals.set(text, literal);
    return literal;
  };
}

/** Makes a text valid for PostgreSQL: a single rejected text would block all later clicks. */
function sanitize(text: string): string {
  if (text.length <= maxLength && !text.includes('\0')) return text;
  return text.replaceAll('\0', '').slice(0, maxLength);
}

const clicksIn = (quarter: number) => `coalesce(sum(clicks) filter (where quarter = ${quarter}), 0)`;
const botsIn = (quarter: number) => `coalesce(sum(bots) filter (where quarter = ${quarter}), 0)`;

/** Planner settings for the transaction: index look-ups instead of a join that may scan the whole table, and sorting
 *  in memory. The lock comes first, because the statement after it reads the open segment. */
const prepareSql = `select set_config('random_page_cost', '1.1', true), set_config('work_mem', '16MB', true), ${holdSegment}`;

/** Computes hours and days from milliseconds, independent of the session's time zone. `first_at` is a full hour, so that few transactions
 *  change it. Clicks that come a day late are pending besides their event: with them, queries would read the events of all days since. */
const addSql = `
  with click as materialized (
    select *, at_ms / 900000 % 4 as quarter, case when is_bot then clicks else 0 end as bots,
           visitor is not null and at >= (select events_since from analytics_state) as has_event, hour < now() - interval '1 day' as is_late
    from unnest(cast(:urlIds as bigint[]), cast(:atMs as bigint[]), cast(:clicks as bigint[]), cast(:areBots as boolean[]), cast(:botKinds as text[]),
                cast(:visitorHighs as bigint[]), cast(:visitorLows as bigint[]), cast(:countries as text[]), cast(:referrers as text[]),
                cast(:browsers as text[]), cast(:systems as text[]), cast(:devices as text[]))
      as given (url_id, at_ms, clicks, is_bot, bot_kind, visitor_high, visitor_low, country, referrer, browser, os, device)
      cross join lateral (
        select to_timestamp(at_ms / 1000.0) as at, to_timestamp(at_ms / 3600000 * 3600) as hour, visitor_high << 32 | visitor_low as visitor
      ) as derived
  ), open as materialized (
    select max(segment) as segment from analytics_segments
  ), began as (
    update analytics_segments s set first_at = coalesce(first.hour, date_trunc('hour', now()))
    from open, (select min(hour) filter (where not is_late) as hour from click) as first
    where s.segment = open.segment and s.first_at > coalesce(first.hour, date_trunc('hour', now()))
  ), kept as (
    insert into url_analytics (url_id, at, visitor, clicks, is_bot, bot_kind, country, referrer, browser, os, device, segment)
    select url_id, at, visitor, clicks, is_bot, bot_kind, country, referrer, browser, os, device,
           case when is_late then 0 else open.segment end
    from click, open where has_event
  ), pending as (
    insert into url_pending_clicks (segment, url_id, day, clicks, is_bot, bot_kind, country, referrer, browser, os, device)
    select open.segment, url_id, date '1970-01-01' + cast(at_ms / 86400000 as integer), sum(clicks), is_bot, bot_kind,
           country, referrer, browser, os, device
    from click, open where not has_event or is_late group by 1, 2, 3, 5, 6, 7, 8, 9, 10, 11
  )
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
    event_clicks = known.event_clicks + excluded.event_clicks`;
