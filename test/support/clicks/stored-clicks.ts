import { createAnalyticsPartitions } from '../../../src/analytics/partitions/partitions.ts';
import type { Knex } from '../../../src/storage/postgres/postgres.ts';

const atOnce = 5_000_000;
const dayMs = 86_400_000;

/** Inserts click events of the last `days` days by SQL, on the short URLs with the IDs 1 to `urls`, the lower ones far more often, and the
 *  roll-ups of the share `rolledUp` of them. Counters and ledger stay as they are. */
export async function storeClicks(
  db: Knex,
  { urls, days, clicks, rolledUp }: { urls: number; days: number; clicks: number; rolledUp: number },
): Promise<void> {
  const partitions = createAnalyticsPartitions(db);
  for (let day = -days; day <= 1; day++)
    await partitions.create(new Date(Date.now() + day * dayMs).toISOString().slice(0, 10));
  for (let left = clicks; left > 0; left -= atOnce) {
    await db.raw(
      `with added as (
         insert into url_analytics (url_id, at, visitor, clicks, is_bot, country, referrer, browser, os, device)
         select cast(floor(power(cast(:urls as double precision), random())) as bigint),
                now() - random() * make_interval(days => :days), cast(random() * 1e15 as bigint), 1, random() < 0.15,
                'C' || floor(power(60, random())), 'host' || floor(power(300, random())) || '.example',
                'Browser ' || floor(random() * 20), 'System ' || floor(random() * 8), 'desktop'
         from generate_series(1, :clicks)
         returning *
       ), rolled_up as materialized (
         select * from added where random() < :rolledUp
       ), hourly as (
         insert into url_clicks_hourly as h
         select url_id, date_trunc('hour', at, 'UTC'), count(*), 0, 0, 0, 0, 0, 0, 0, count(*) from rolled_up group by 1, 2
         on conflict (url_id, hour) do update set clicks_00 = h.clicks_00 + excluded.clicks_00
       )
       insert into url_clicks_daily as d (url_id, day, dimension, value, clicks, bots)
       select url_id, cast(at at time zone 'UTC' as date), dimension, value, count(*), 0
       from rolled_up cross join lateral (values
         (cast('country' as click_dimension), country), ('referrer', referrer), ('browser', browser), ('os', os), ('device', device)
       ) as part (dimension, value)
       group by 1, 2, 3, 4
       on conflict (url_id, dimension, day, value) do update set clicks = d.clicks + excluded.clicks`,
      { urls, days, clicks: Math.min(left, atOnce), rolledUp },
    );
  }
  await db.raw('vacuum analyze');
}
