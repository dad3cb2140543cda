import type { Knex } from '../../storage/postgres/postgres.ts';
import type { Sql } from './scope.ts';

/** Maximum number of distinct values per short URL, day and dimension, not counting unknown; further values count as
 *  `otherValue`. */
export const maxValues = 200;
/** Catch-all for values beyond `maxValues`. */
export const otherValue = '*';

/** Dimensions with values by day. */
const dimensions = ['country', 'referrer', 'browser', 'os', 'device'] as const;
type Column = (typeof dimensions)[number] | 'bot_kind';

/** SQL for clicks as a relation (url_id, day, clicks, is_bot, value) with the values of a dimension. */
export type DailyClicks = (column: Column) => Sql;

/** Adds clicks to the roll-ups by day and value. No other transaction may change the same rows meanwhile. One statement for each
 *  dimension: grouping by all of them in one takes three times as long. */
export async function addDailyValues(trx: Knex, clicksOf: DailyClicks): Promise<void> {
  for (const dimension of dimensions) {
    const { sql, bindings } = clicksOf(dimension);
    await trx.raw(addValues(sql), { ...bindings, dimension, maxValues, otherValue });
  }
  const { sql, bindings } = clicksOf('bot_kind');
  await trx.raw(
    `insert into url_bots_daily as known (url_id, day, kind, clicks)
     select url_id, day, value, sum(clicks) from (${sql}) as click where value <> '' group by 1, 2, 3
     on conflict (url_id, day, kind) do update set clicks = known.clicks + excluded.clicks`,
    bindings,
  );
}

/** If new values exceed `maxValues`, the most clicked are kept; unknown values do not count against it. Rows are written in the order of
 *  their index, which takes a fifth less time. */
const addValues = (clicks: string) => `
  with counted as materialized (
    select url_id, day, value collate "C" as value, sum(clicks) as clicks,
           coalesce(sum(clicks) filter (where is_bot), 0) as bots
    from (${clicks}) as click group by 1, 2, 3
  ), compared as materialized (
    select counted.*, known.value is not null or counted.value in ('', :otherValue) as has_row
    from counted left join url_clicks_daily known
      on known.url_id = counted.url_id and known.dimension = cast(:dimension as click_dimension)
        and known.day = counted.day and known.value = counted.value
  ), room as materialized (
    -- Only for days with new values, and once for all of them.
    select url_id, day, :maxValues - (
      select count(*) from url_clicks_daily d
      where d.url_id = compared.url_id and d.dimension = cast(:dimension as click_dimension) and d.day = compared.day
        and d.value not in ('', :otherValue)
    ) as free_slots
    from compared where not has_row group by url_id, day
  ), ranked as materialized (
    select compared.*,
           row_number() over (partition by url_id, day order by clicks desc, value) <= free_slots as has_room
    from compared join room using (url_id, day) where not has_row
  )
  insert into url_clicks_daily as known (dimension, url_id, day, value, clicks, bots)
  select cast(:dimension as click_dimension), * from (
    select url_id, day, value, clicks, bots from compared where has_row and value <> :otherValue
    union all
    select url_id, day, value, clicks, bots from ranked where has_room
    union all
    select url_id, day, :otherValue, sum(clicks), sum(bots) from (
      select url_id, day, clicks, bots from ranked where not has_room
      union all
      select url_id, day, clicks, bots from compared where value = :otherValue
    ) as other group by 1, 2
    order by url_id, day, value
  ) as added
  on conflict (url_id, dimension, day, value) do update set
    clicks = known.clicks + excluded.clicks, bots = known.bots + excluded.bots`;
