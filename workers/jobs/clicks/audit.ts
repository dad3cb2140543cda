import { setTimeout as delay } from 'node:timers/promises';
import { type AnalyticsSlices, compareInSlices } from '../../../src/analytics/rollups/audit-slices.ts';
import type { AuditDifference } from '../../../src/analytics/rollups/audit.ts';
import { type ClickAudit, isExact, isExactSince } from '../../../src/clicks/ledger/audit.ts';
import { type JobContext, percentOf, type Summary } from '../../job-context.ts';

/** Differences and producers that the summary lists. */
const maxListed = 20;
/** Clicks that were accepted at the start are counted within this time, unless counting is late. */
const countedMs = 15_000;
const retryMs = 1_000;

interface Deps {
  readLedger: () => Promise<ClickAudit>;
  slices: AnalyticsSlices;
}

/** Compares accepted clicks, ledger, counters, roll-ups and click events, as `npm run reconcile` does. It only reads: the analytics in
 *  short statements, the totals of counters and ledger in one snapshot. `exact` is whether all of them match. */
export async function audit({ readLedger, slices }: Deps, context: JobContext): Promise<Summary> {
  const { reportProgress, signal } = context;
  const first = await readLedger();
  const found = await compareAnalytics(slices, context);
  if (signal.aborted) return { interrupted: true, checked: found.checked };
  const { ledger, isLedgerExact } = await readUntilCounted(readLedger, first, signal);
  await reportProgress(100);
  return {
    exact: isLedgerExact && found.count === 0 && found.skipped === 0,
    accepted: ledger.accepted,
    counted: ledger.counted,
    dead_letters: ledger.deadLetters,
    producers: isLedgerExact
      ? []
      : ledger.differing
          .slice(0, maxListed)
          .map(({ producer, accepted, counted }) => ({ producer, accepted, counted })),
    checked: found.checked,
    skipped: found.skipped,
    difference_count: found.count,
    differences: found.differing.map(({ shortCode, metric, expected, found: value }) => ({
      short_code: shortCode,
      metric,
      expected,
      found: value,
    })),
  };
}

/** Reads the ledger until it has the clicks that were accepted at the first reading, for at most 15 s. */
async function readUntilCounted(readLedger: Deps['readLedger'], first: ClickAudit, signal: AbortSignal) {
  const end = performance.now() + countedMs;
  for (;;) {
    const ledger = await readLedger();
    const isLedgerExact = isExact(ledger) || isExactSince(first, ledger);
    if (isLedgerExact || signal.aborted || performance.now() > end) return { ledger, isLedgerExact };
    await delay(retryMs);
  }
}

async function compareAnalytics(slices: AnalyticsSlices, { reportProgress, signal }: JobContext) {
  const differing: AuditDifference[] = [];
  let [count, checked, skipped] = [0, 0, 0];
  for await (const progress of compareInSlices(slices, signal)) {
    ({ checked, skipped } = progress);
    count += progress.found.length;
    differing.push(...progress.found.slice(0, maxListed - differing.length));
    await reportProgress(Math.min(99, percentOf(checked, progress.total)));
  }
  return { count, checked, skipped, differing };
}
