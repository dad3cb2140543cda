import type { AuditProgress } from '../analytics/rollups/audit-slices.ts';
import type { AnalyticsTotals, AuditDifference } from '../analytics/rollups/audit.ts';
import type { ClickAudit } from '../clicks/ledger/audit.ts';

/** Maximum number of listed producers and of listed short URLs. */
export const maxLines = 100;

/** Result of the comparison of counters and analytics. */
export interface AnalyticsComparison extends Pick<AuditProgress, 'checked' | 'skipped'> {
  count: number;
  /** The first differences. */
  differing: AuditDifference[];
}

export function describeAudit(audit: ClickAudit, exact: boolean): string[] {
  const { accepted, counted, onUrls, purged, imported, removed, differing, deadLetters } = audit;
  const onCounters = onUrls + purged - imported;
  const lines = [
    `  ${accepted} clicks accepted by web processes`,
    `  ${counted} clicks counted by the ledger`,
    `  ${onCounters} clicks on short URLs${purged > 0 ? ` (${purged} of them purged)` : ''}`,
  ];
  if (deadLetters > 0) lines.push(`  ${deadLetters} dead letters in the table click_dead_letters`);
  for (const { producer, accepted, counted, lastSeenAt } of exact ? [] : differing.slice(0, maxLines)) {
    lines.push(
      `  producer ${producer}: ${describeDifference(accepted, counted)}, last seen at ${lastSeenAt.toISOString()}`,
    );
  }
  if (removed.accepted !== removed.counted) {
    lines.push(`  producers removed as idle: ${describeDifference(removed.accepted, removed.counted)}`);
  }
  if (counted !== onCounters)
    lines.push(`  short URLs: ${describeDifference(counted, onCounters, 'in the ledger')}`);
  if (imported > 0) lines.push(`  ${imported} clicks imported from other services`);
  if (!exact) lines.push('Clicks may still be in transit. Run again with --wait 30.');
  return lines;
}

export function describeAnalytics(
  { clicks, without }: AnalyticsTotals,
  { checked, skipped, count, differing }: AnalyticsComparison,
  since: Date | undefined,
): string[] {
  const lines = [
    `  ${clicks} clicks in the analytics${without > 0 ? `, ${without} counted before the analytics existed` : ''}`,
  ];
  if (since)
    lines.push(`  ${checked} short URLs clicked since ${since.toISOString()} compared, and no others`);
  if (skipped > 0) lines.push(`  ${skipped} short URLs not compared: they took too long`);
  if (count > differing.length)
    lines.push(`  ${count} differences in the analytics, the first ${differing.length}:`);
  for (const { shortCode, metric, expected, found } of differing)
    lines.push(`  short URL ${shortCode}, ${metric}: ${expected} expected, ${found} found`);
  return lines;
}

function describeDifference(expected: number, found: number, where = 'accepted'): string {
  const difference = found - expected;
  return `${expected} ${where}, ${found} counted: ${Math.abs(difference)} ${difference < 0 ? 'missing' : 'too many'}`;
}
