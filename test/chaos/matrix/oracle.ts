import { type Knex, onlyRow } from '../../../src/storage/postgres/postgres.ts';
import type { AnalyticsAudit } from '../../support/clicks/analytics.ts';
import { countAll, type Tally } from '../../support/processes/load.ts';
import { waitUntil } from '../../support/wait-until.ts';

/** Counted clicks compared with what clients observed. */
export interface CountResult {
  answered: number;
  counted: number;
  sent: number;
  /** Clicks that were answered and not counted, summed per short URL, so that errors do not cancel out. */
  lost: number;
  /** Clicks that were counted more often than sent. */
  doubleCounted: number;
}

/** Checks `answered ≤ counted ≤ sent` for each short URL. `lostPart` has the clicks that a lost part of the database
 *  had counted, which may be missing. */
export function compareCounts(
  tally: Tally,
  counted: Map<string, number>,
  lostPart: ReadonlyMap<string, number> = new Map(),
): CountResult {
  const result = {
    answered: countAll(tally.answered),
    counted: countAll(counted),
    sent: countAll(tally.sent),
    lost: 0,
    doubleCounted: 0,
  };
  for (const code of new Set([...counted.keys(), ...tally.sent.keys()])) {
    const count = counted.get(code) ?? 0;
    const due = (tally.answered.get(code) ?? 0) - (lostPart.get(code) ?? 0);
    result.lost += Math.max(0, due - count);
    result.doubleCounted += Math.max(0, count - (tally.sent.get(code) ?? 0));
  }
  return result;
}

/** Lists differences in the analytics: each click must be in all metrics or in none. */
export function findAnalyticsProblems({ without, differing }: AnalyticsAudit): string[] {
  return [
    ...(without === 0 ? [] : [`${without} clicks were counted and are not in the analytics`]),
    ...differing.map(
      ({ shortCode, metric, expected, found }) => `${shortCode}: ${metric} are ${found}, not ${expected}`,
    ),
  ].slice(0, 10);
}

/** Minimum number of distinct agents, referrers and countries, of hundreds that are sent. */
const minKinds = 10;

/** Checks that click events have details. */
export async function findDetailProblems(db: Knex): Promise<string[]> {
  const result = await db.raw<{ rows: { kinds: number }[] }>(
    `select least(count(distinct country), count(distinct referrer), count(distinct (browser, os))) as kinds from url_analytics`,
  );
  const { kinds } = onlyRow(result);
  return kinds < minKinds ? [`the analytics have only ${kinds} distinct countries, referrers or agents`] : [];
}

/** How long the totals must be stable before they are checked. */
const stableMs = 3_500;
const maxWaitMs = 180_000;

/** Waits until the totals are stable for some seconds, longer while clicks are missing. Resolves to the time until
 *  all answered clicks were counted; undefined when they never were. */
export async function drain(
  readCounted: () => Promise<Map<string, number>>,
  compare: (counted: Map<string, number>) => CountResult,
  patienceMs: number,
): Promise<number | undefined> {
  const start = performance.now();
  let total = -1;
  let changedAt = start;
  let completeAfterMs: number | undefined;
  await waitUntil(
    'the totals are stable',
    async () => {
      const { counted, lost } = compare(await readCounted());
      const now = performance.now();
      if (counted !== total) changedAt = now;
      total = counted;
      completeAfterMs = lost > 0 ? undefined : (completeAfterMs ?? now - start);
      return now - changedAt > (lost > 0 ? Math.max(patienceMs, stableMs) : stableMs);
    },
    maxWaitMs,
  );
  return completeAfterMs;
}
