import { createClickFeedStore } from '../../../../src/analytics/feed/feed-store.ts';
import { createAnalyticsPartitions } from '../../../../src/analytics/partitions/partitions.ts';
import { createAnalyticsPurge } from '../../../../src/analytics/rollups/purge.ts';
import { createClickSegments } from '../../../../src/analytics/rollups/segments.ts';
import { createVisitorSaltStore } from '../../../../src/clicks/enrichment/visitor-salt-store.ts';
import type { Knex } from '../../../../src/storage/postgres/postgres.ts';
import { maintainAnalytics } from '../../../../workers/jobs/clicks/maintain-analytics.ts';
import { createJobContext } from '../../../support/job-context.ts';
import type { Day } from '../send-day.ts';
import { compareApi } from './api.ts';
import { afterRetention, type Breakdown, events, permanent } from './breakdowns.ts';
import { type BreakdownResult, compareBreakdown } from './compare-breakdown.ts';

const retentionDays = 90;
/** When the retention of all click events has ended. */
const laterMs = (retentionDays + 4) * 86_400_000;

/** Compares all breakdowns of the analytics and the API's answers with the clicks sent, and the remaining data again after
 *  the retention of click events. */
export async function compareDay(
  db: Knex,
  day: Pick<Day, 'commandLine' | 'settings' | 'dayMs' | 'print'>,
  shortCodes: string[],
): Promise<BreakdownResult[]> {
  // The limit of values applies to roll-ups.
  await createClickSegments(db).rollUp({ always: true });
  const results = await compareTables(db, [...permanent, ...events]);
  results.push(...(await compareApi(db, day, shortCodes)));
  day.print('dropping the click events, as after their retention');
  await dropEvents(db);
  return [...results, ...(await compareTables(db, afterRetention))];
}

async function compareTables(db: Knex, breakdowns: Breakdown[]): Promise<BreakdownResult[]> {
  const results: BreakdownResult[] = [];
  for (const breakdown of breakdowns) results.push(await compareBreakdown(db, breakdown));
  return results;
}

async function dropEvents(db: Knex): Promise<void> {
  await maintainAnalytics(
    {
      salts: createVisitorSaltStore(db),
      partitions: createAnalyticsPartitions(db),
      segments: createClickSegments(db),
      removals: createAnalyticsPurge(db),
      clickFeed: createClickFeedStore(db),
      now: async () => new Date(Date.now() + laterMs),
    },
    retentionDays,
    createJobContext(),
  );
}
