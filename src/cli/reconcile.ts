import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type AnalyticsAudit, readAnalyticsAudit } from '../analytics/rollups/audit.ts';
import { type ClickAudit, isExact, isExactSince, readAudit } from '../clicks/ledger/audit.ts';
import { databaseSettings } from '../config/database.ts';
import { loadConfigOrExit } from '../config/load.ts';
import { describeEpochs, readEpochReport } from '../epoch/epoch-report.ts';
import { openPostgres } from '../storage/postgres/postgres.ts';
import { requireSchema } from '../storage/schema/require-schema.ts';
import { readArguments } from './command-line.ts';

/** `npm run reconcile [-- --wait SECONDS]`: compares the clicks that web processes accepted with the ledger and the
 *  counters, and the counters with the analytics. With `--wait`, it waits until the clicks accepted at the start are
 *  counted. Exit code 0 when they match, 1 when they do not, 2 when they could not be read. */
const queryTimeoutMs = 600_000;
/** Web processes report accepted clicks once a second; after this time the latest reports have arrived. */
const reportDelayMs = 2_000;
const retryIntervalMs = 500;
/** Maximum number of listed producers and of listed short URLs. */
const maxLines = 100;

const usage = `Usage: npm run reconcile [-- --wait SECONDS]
  Compares the clicks that web processes accepted with the ledger, the counters and the analytics.
  --wait SECONDS  wait up to this long until the clicks accepted so far are counted (0 to 3600)
  Exit code 0 when they match, 1 when they do not, 2 when they could not be read.
`;

const waitMs = readArguments(usage, readWaitMs);
const { DATABASE_URL: url } = loadConfigOrExit(databaseSettings);
const db = openPostgres({ url, poolMax: 1, queryTimeoutMs, name: 'reconcile' });
try {
  await requireSchema(db, (line) => void process.stderr.write(`${line}\n`));
  const { audit, exact } = await readAuditUntilExact();
  // Read once: the analytics match the counters at each moment.
  const analytics = await readAnalyticsAudit(db);
  const epochs = await readEpochReport(db);
  const matches = exact && analytics.differing.length === 0;
  const lines = [
    matches ? 'exact' : 'not exact',
    ...describeAudit(audit, exact),
    ...describeAnalytics(analytics),
    ...describeEpochs(epochs, Math.max(0, audit.accepted - audit.counted)),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  process.exitCode = matches ? 0 : 1;
} catch (error) {
  // knex prefixes the reason with the statement and " - ".
  const reason = error instanceof Error ? error.message.split(' - ').at(-1) : String(error);
  process.stderr.write(`failed to read the audit: ${reason}\n`);
  process.exitCode = 2;
} finally {
  await db.destroy();
}

/** Reads the audit until the clicks that were accepted at the first reading are counted, or the wait is over. With a
 *  wait, the first reading happens after all reports have arrived. */
async function readAuditUntilExact() {
  const end = performance.now() + waitMs;
  await delay(Math.min(waitMs, reportDelayMs));
  const first = await readAudit(db);
  let audit = first;
  let exact = isExact(audit);
  while (!exact && performance.now() + retryIntervalMs <= end) {
    await delay(retryIntervalMs);
    audit = await readAudit(db);
    exact = isExactSince(first, audit);
  }
  return { audit, exact };
}

function describeAudit(audit: ClickAudit, exact: boolean): string[] {
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

function describeAnalytics({ clicks, without, differing }: AnalyticsAudit): string[] {
  const lines = [
    `  ${clicks} clicks in the analytics${without > 0 ? `, ${without} counted before the analytics existed` : ''}`,
  ];
  for (const { shortCode, metric, expected, found } of differing.slice(0, maxLines))
    lines.push(`  short URL ${shortCode}, ${metric}: ${expected} expected, ${found} found`);
  return lines;
}

function describeDifference(expected: number, found: number, where = 'accepted'): string {
  const difference = found - expected;
  return `${expected} ${where}, ${found} counted: ${Math.abs(difference)} ${difference < 0 ? 'missing' : 'too many'}`;
}

function readWaitMs(args: string[]): number {
  const { values } = parseArgs({ args, options: { wait: { type: 'string', default: '0' } } });
  const seconds = values.wait === '' ? Number.NaN : Number(values.wait);
  if (seconds >= 0 && seconds <= 3_600) return seconds * 1_000;
  throw new Error('--wait must be a number of seconds from 0 to 3600');
}
