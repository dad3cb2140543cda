import type { AnalyticsAudit } from '../../../src/analytics/rollups/audit.ts';
import { type Knex, onlyRow } from '../../../src/storage/postgres/postgres.ts';
import { countAll, type Tally } from '../../support/processes/load.ts';
import { waitUntil } from '../../support/wait-until.ts';

/** What was counted, against what clients saw. */
export interface RateLimitResult {
  answered: number;
  counted: number;
  sent: number;
  /** Clicks that were answered and not counted, over all short URLs: one too many on another makes up for none. */
  lost: number;
  /** Clicks that were counted and never sent. */
  doubled: number;
}

/** Judges each short URL by `answered ≤ counted ≤ sent`. `lostPart` has the clicks that a lost part of the database had
 *  counted: so many may be missing. */
export function judge(
  tally: Tally,
  counted: Map<string, number>,
  lostPart: ReadonlyMap<string, number> = new Map(),
): RateLimitResult {
  const limitResult = {
    answered: countAll(tally.answered),
    counted: countAll(counted),
    sent: countAll(tally.sent),
    lost: 0,
    doubled: 0,
  };
  for (const code of new Set([...counted.keys(), ...tally.sent.keys()])) {
    const count = counted.get(code) ?? 0;
    const due = (tally.answered.get(code) ?? 0) - (lostPart.get(code) ?? 0);
    limitResult.lost += Math.max(0, due - count);
    limitResult.doubled += Math.max(0, count - (tally.sent.get(code) ?? 0));
  }
  return limitResult;
}

/** What is wrong with the analytics, which add up whatever happens: a click is in every metric or in none. */
export function judgeAnalytics({ without, differing }: AnalyticsAudit): string[] {
  return [
    ...(without === 0 ? [] : [`${without} clicks were counted and are not in the analytics`]),
    ...differing.map(
      ({ shortCode, metric, expected, found }) => `${shortCode}: ${metric} are ${found}, not ${expected}`,
    ),
  ].slice(0, 10);
}

/** Of hundreds of agents, referrers and countries that are sent, so many at least must have been carried. */
const fewestKinds = 10;

/** What is wrong with the rows, where clicks had details. */
export async function judgeDetails(db: Knex): Promise<string[]> {
  const result = await db.raw<{ rows: { kinds: number }[] }>(
    `select least(count(distinct country), count(distinct referrer), count(distinct (browser, os))) as kinds from url_analytics`,
  );
  const { kinds } = onlyRow(result);
  return kinds < fewestKinds ? [`the analytics tell only ${kinds} countries, referrers or agents apart`] : [];
}

/** How long the totals must have been still before anything is judged. */
const stillMs = 3_500;
const longestMs = 180_000;

/** Waits until the totals have been still for some seconds, longer while clicks are missing. Resolves to how long it took from
 *  now until everything answered was counted; undefined when it never was. */
export async function drain(
  readCounted: () => Promise<Map<string, number>>,
  judgeNow: (counted: Map<string, number>) => RateLimitResult,
  patienceMs: number,
): Promise<number | undefined> {
  const start = performance.now();
  let total = -1;
  let changedAt = start;
  let completeAfterMs: number | undefined;
  await waitUntil(
    'the totals are still',
    async () => {
      const { counted, lost } = judgeNow(await readCounted());
      const now = performance.now();
      if (counted !== total) changedAt = now;
      total = counted;
      completeAfterMs = lost > 0 ? undefined : (completeAfterMs ?? now - start);
      return now - changedAt > (lost > 0 ? Math.max(patienceMs, stillMs) : stillMs);
    },
    longestMs,
  );
  return completeAfterMs;
}
