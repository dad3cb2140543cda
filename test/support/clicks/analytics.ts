import { v7 as uuidv7 } from 'uuid';
import type { AnalyticsQuery } from '../../../src/analytics/query/query.ts';
import {
  type AnalyticsTotals,
  type AuditDifference,
  differencesIn,
  readAnalyticsTotals,
} from '../../../src/analytics/rollups/audit.ts';
import type { Batch, ClickCount } from '../../../src/clicks/click-batch.ts';
import type { ClickDetail } from '../../../src/clicks/click-detail.ts';
import type { Knex } from '../../../src/storage/postgres/postgres.ts';

/** Details of a person in Germany coming from example.org. `visitor` is a visitor ID or a number. */
export function makeDetail(
  given: Partial<Omit<ClickDetail, 'visitor'>> & { visitor?: string | number } = {},
): ClickDetail {
  const { visitor = 1, ...rest } = given;
  return {
    country: 'DE',
    referrer: 'example.org',
    browser: 'Firefox',
    os: 'Linux',
    device: 'desktop',
    isBot: false,
    ...rest,
    visitor: typeof visitor === 'string' ? visitor : visitor.toString(16).padStart(16, '0'),
  };
}

/** A batch of a new producer. */
export const makeDetailedBatch = (clicks: ClickCount[]): Batch => ({
  producer: uuidv7(),
  seq: 1,
  accepted: clicks.reduce((sum, { count }) => sum + count, 0),
  clicks,
});

/** A query for the clicks of a short URL by day (UTC), including bots. */
export const makeQuery = (shortCode: string, query: Partial<AnalyticsQuery> = {}): AnalyticsQuery => ({
  scope: { owner: null, shortCode },
  timezone: 'UTC',
  groupBy: 'time',
  interval: 'day',
  filters: {},
  bots: 'include',
  compare: false,
  visitors: false,
  limit: 50,
  ...query,
});

const dimensions = ['country', 'referrer', 'browser', 'os', 'device'] as const;

/** All metrics by name, such as "7 referrer 2026-11-21 example.org": [clicks, bots]. */
export type Metrics = Record<string, [number, number]>;

/** Computes the metrics of clicks, without a limit of values. */
export function tally(clicks: Iterable<ClickCount>): Metrics {
  const metrics: Metrics = {};
  const add = (name: string, { count, detail }: ClickCount) => {
    const metric = (metrics[name] ??= [0, 0]);
    metric[0] += count;
    if (detail?.isBot) metric[1] += count;
  };
  for (const click of clicks) {
    const { urlId, lastAtMs, detail } = click;
    const quarter = new Date(lastAtMs - (lastAtMs % 900_000)).toISOString();
    const day = quarter.slice(0, 10);
    add(`${urlId} total`, { ...click, detail: undefined });
    add(`${urlId} quarter ${quarter}`, click);
    for (const dimension of dimensions)
      add(`${urlId} ${dimension} ${day} ${detail?.[dimension] ?? ''}`, click);
    if (detail?.isBot && detail.botKind) add(`${urlId} bot_kind ${day} ${detail.botKind}`, click);
    if (detail?.visitor)
      add(
        `${urlId} row ${day} ${detail.visitor} ${[...dimensions.map((name) => detail[name]), (detail.isBot && detail.botKind) || ''].join(' ')}`,
        click,
      );
  }
  return metrics;
}

/** Reads the metrics from the tables. */
export async function readMetrics(db: Knex): Promise<Metrics> {
  const day = `to_char(at at time zone 'UTC', 'YYYY-MM-DD')`;
  const { rows } = await db.raw<{ rows: { name: string; clicks: number; bots: number }[] }>(
    `select url_id || ' total' as name, analytics_clicks as clicks, 0 as bots from url_stats where analytics_clicks > 0
     union all
     select url_id || ' quarter ' || to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), clicks, bots
     from url_clicks_quarter_hourly
     union all
     select url_id || ' ' || dimension || ' ' || day || ' ' || value, cast(sum(clicks) as bigint), cast(sum(bots) as bigint)
     from url_clicks_by_day group by 1
     union all
     select url_id || ' bot_kind ' || day || ' ' || kind, cast(sum(clicks) as bigint), cast(sum(clicks) as bigint)
     from url_bots_by_day group by 1
     union all
     select concat_ws(' ', url_id, 'row', ${day}, lpad(to_hex(visitor), 16, '0'), country, referrer, browser, os, device, bot_kind),
            cast(sum(clicks) as bigint), cast(sum(clicks) filter (where is_bot) as bigint)
     from url_analytics group by 1`,
  );
  return Object.fromEntries(rows.map(({ name, clicks, bots }) => [name, [clicks, bots ?? 0]]));
}

/** Totals of the analytics, and their differences from the counters. */
export type AnalyticsAudit = AnalyticsTotals & { differing: AuditDifference[] };

export const readAnalyticsAudit = async (db: Knex): Promise<AnalyticsAudit> => ({
  ...(await readAnalyticsTotals(db)),
  differing: await differencesIn(db),
});
