import { maxValues, otherValue } from '../../../../src/analytics/rollups/daily-values.ts';

/** A metric with all its parts: two queries for key, clicks and bot clicks that must match. */
export interface Breakdown {
  name: string;
  /** From the clicks sent. */
  expected: string;
  /** From the tables of the service. */
  found: string;
}

const key = (...columns: string[]) => `concat_ws(' ', ${columns.join(', ')}) as key`;
const bots = 'filter (where is_bot)';

const sentBy = (columns: string[], from = 'sent') =>
  `select ${key(...columns)}, count(*) as clicks, count(*) ${bots} as bots from ${from} group by 1`;

const visitorsOf = (columns: string[]): Pick<Breakdown, 'expected' | 'found'> => ({
  expected: `select ${key(...columns)}, count(distinct (address, agent)) as clicks, count(distinct (address, agent)) ${bots} as bots
             from sent where not is_private group by 1`,
  found: `select ${key(...columns)}, count(distinct visitor) as clicks, count(distinct visitor) ${bots} as bots
          from ${rowsWithDay} group by 1`,
});
const rowsWithDay = `(select *, cast(at at time zone 'UTC' as date) as day from url_analytics) as kept`;

const byDay = (dimension: string): Breakdown => ({
  name: `by ${dimension}, short URL and day`,
  expected: sentBy(['url_id', 'day', dimension]),
  found: `select ${key('url_id', 'day', 'value')}, clicks, bots from url_clicks_daily where dimension = '${dimension}'`,
});

/** A day may have more referrers than the limit; only their number is compared, not which ones are kept. */
const byReferrer: Breakdown = {
  ...byDay('referrer'),
  expected: sentBy(
    ['url_id', 'day', 'shown'],
    `(select sent.*, case when referrer = '' or value is not null then referrer else '${otherValue}' end as shown
      from sent left join url_clicks_daily d
        on d.dimension = 'referrer' and d.url_id = sent.url_id and d.day = sent.day and d.value = sent.referrer) as sent`,
  ),
};
const keptReferrers: Breakdown = {
  name: 'distinct referrers, by short URL and day',
  expected: `select ${key('url_id', 'day')}, least(count(distinct nullif(referrer, '')), ${maxValues}) as clicks, 0 as bots
             from sent group by 1`,
  found: `select ${key('url_id', 'day')}, count(*) filter (where value not in ('', '${otherValue}')) as clicks, 0 as bots
          from url_clicks_daily where dimension = 'referrer' group by 1`,
};

/** Data that is kept permanently. */
export const permanent: Breakdown[] = [
  {
    name: 'clicks',
    expected: `select '' as key, count(*) as clicks, 0 as bots from sent`,
    found: `select '' as key, sum(click_count) as clicks, 0 as bots from url_stats`,
  },
  {
    name: 'by short URL',
    expected: `select ${key('url_id')}, count(*) as clicks, 0 as bots from sent group by 1`,
    found: `select ${key('url_id')}, click_count as clicks, 0 as bots from url_stats where click_count > 0`,
  },
  {
    name: 'last clicks, by quarter of an hour',
    expected: `select ${key('url_id', 'max(quarter)')}, 1 as clicks, 0 as bots from sent group by url_id`,
    found: `select ${key('url_id', `date_bin('15 minutes', last_accessed_at, 'epoch')`)}, 1 as clicks, 0 as bots
            from url_stats where click_count > 0`,
  },
  {
    name: 'by quarter of an hour',
    expected: sentBy(['quarter']),
    found: `select ${key('at')}, sum(clicks) as clicks, sum(bots) as bots from url_clicks_quarter_hourly group by 1`,
  },
  {
    name: 'by quarter of an hour and short URL',
    expected: sentBy(['url_id', 'quarter']),
    found: `select ${key('url_id', 'at')}, clicks, bots from url_clicks_quarter_hourly`,
  },
  ...['country', 'browser', 'os', 'device'].map(byDay),
  byReferrer,
  keptReferrers,
];

const kinds = ['country', 'referrer', 'browser', 'os', 'device'];

/** Data within the retention of click events. */
export const events: Breakdown[] = [
  {
    name: 'click events, by short URL, quarter of an hour and all dimensions',
    expected: sentBy(['url_id', 'quarter', ...kinds], '(select * from sent where not is_private) as sent'),
    found: `select ${key('url_id', `date_bin('15 minutes', at, 'epoch')`, ...kinds)}, sum(clicks) as clicks,
                   coalesce(sum(clicks) ${bots}, 0) as bots
            from url_analytics group by 1`,
  },
  { name: 'visitors, by day', ...visitorsOf(['day']) },
  { name: 'visitors, by short URL and day', ...visitorsOf(['url_id', 'day']) },
];

/** Data after the retention. */
export const afterRetention: Breakdown[] = [
  {
    name: 'click events after their retention',
    expected: `select '' as key, 0 as clicks, 0 as bots`,
    found: `select '' as key, count(*) as clicks, 0 as bots from url_analytics`,
  },
  {
    name: 'visitors after the retention, by short URL and day',
    expected: visitorsOf(['url_id', 'day']).expected,
    found: `select ${key('url_id', 'day')}, people + bots as clicks, bots from url_visitors_daily`,
  },
  ...permanent.slice(1, -1).map(({ name, expected, found }) => ({
    name: `${name}, after the retention`,
    expected,
    found,
  })),
];
