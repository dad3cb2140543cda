import { createClickFeedStore } from '../../../../src/analytics/feed/feed-store.ts';
import { createAnalyticsPartitions } from '../../../../src/analytics/partitions/partitions.ts';
import { createAnalyticsPurge } from '../../../../src/analytics/rollups/purge.ts';
import { createVisitorSaltStore } from '../../../../src/clicks/enrichment/visitor-salt-store.ts';
import type { Knex } from '../../../../src/storage/postgres/postgres.ts';
import { maintainAnalytics } from '../../../../workers/jobs/maintain-analytics.ts';
import { createJobContext } from '../../../support/job-context.ts';
import type { Day } from '../send-day.ts';
import { judgeApi } from './api.ts';
import { afterRetention, type Cut, figures, rows } from './cuts.ts';
import { type CutVerdict, judgeCut } from './judge-cut.ts';

const retentionDays = 90;
/** By then the retention of all rows is over. */
const laterMs = (retentionDays + 4) * 86_400_000;

/** Compares every cut of the analytics with what was sent, then what a web process answers, and then again what is left when no row
 *  is kept any more. */
export async function judgeDay(
  db: Knex,
  day: Pick<Day, 'commandLine' | 'settings' | 'dayMs' | 'say'>,
  shortCodes: string[],
): Promise<CutVerdict[]> {
  const verdicts = await judgeTables(db, [...figures, ...rows]);
  verdicts.push(...(await judgeApi(db, day, shortCodes)));
  day.say('dropping the rows, as after their retention');
  await dropRows(db);
  return [...verdicts, ...(await judgeTables(db, afterRetention))];
}

async function judgeTables(db: Knex, cuts: Cut[]): Promise<CutVerdict[]> {
  const verdicts: CutVerdict[] = [];
  for (const cut of cuts) verdicts.push(await judgeCut(db, cut));
  return verdicts;
}

async function dropRows(db: Knex): Promise<void> {
  await maintainAnalytics(
    {
      salts: createVisitorSaltStore(db),
      partitions: createAnalyticsPartitions(db),
      removals: createAnalyticsPurge(db),
      clickFeed: createClickFeedStore(db),
      now: async () => new Date(Date.now() + laterMs),
    },
    retentionDays,
    createJobContext(),
  );
}
