import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type AnalyticsAudit, readAnalyticsAudit } from '../analytics/rollups/audit.ts';
import { type Books, isExact, isExactSince, readAudit } from '../clicks/ledger/audit.ts';
import { databaseSettings } from '../config/database.ts';
import { loadConfigOrExit } from '../config/load.ts';
import { describeEpochs, readEpochReport } from '../epoch/epoch-report.ts';
import { openPostgres } from '../storage/postgres/postgres.ts';
import { requireSchema } from '../storage/schema/require-schema.ts';
import { readArguments } from './command-line.ts';

/** `npm run reconcile [-- --wait SECONDS]`: compares the clicks that web processes accepted with the ledger and with the
 *  counters of short URLs; with a wait, those that had been accepted when it began; and those counters with the analytics.
 *  Exit code 0 when they agree, 1 when they do not (not even after the wait), 2 when they could not be read. */
const queryTimeoutMs = 600_000;
/** Web processes tell once a second what they accepted: what they did just now is known after this. */
const reportMs = 2_000;
const lookAgainEveryMs = 500;
/** Web processes that are named at most, and figures of short URLs. */
const maxLines = 100;

const usage = `Usage: npm run reconcile [-- --wait SECONDS]
  Compares the clicks that web processes accepted with the ledger, the counters and the analytics.
  --wait SECONDS  wait until those accepted so far are counted, at most so long (0 to 3600)
  Exit code 0 when they agree, 1 when they do not, 2 when they cannot be read.
`;

const waitMs = readArguments(usage, readWaitMs);
const { DATABASE_URL: url } = loadConfigOrExit(databaseSettings);
const db = openPostgres({ url, poolMax: 1, queryTimeoutMs, name: 'reconcile' });
try {
  await requireSchema(db, (line) => void process.stderr.write(`${line}\n`));
  const { books, exact } = await readAuditUntilExact();
  // They add up at every moment, whatever is on its way.
  const analytics = await readAnalyticsAudit(db);
  const epochs = await readEpochReport(db);
  const agrees = exact && analytics.differing.length === 0;
  const lines = [
    agrees ? 'exact' : 'not exact',
    ...describeBooks(books, exact),
    ...describeAnalytics(analytics),
    ...describeEpochs(epochs, Math.max(0, books.accepted - books.counted)),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  process.exitCode = agrees ? 0 : 1;
} catch (error) {
  // Of a statement that PostgreSQL refused, the reason stands behind it.
  const reason = error instanceof Error ? error.message.split(' - ').at(-1) : String(error);
  process.stderr.write(`The books could not be read: ${reason}\n`);
  process.exitCode = 2;
} finally {
  await db.destroy();
}

/** The books, as soon as what had been accepted at the first look is counted; with a wait, that look is when all has been
 *  told. */
async function readAuditUntilExact() {
  const end = performance.now() + waitMs;
  await delay(Math.min(waitMs, reportMs));
  const first = await readAudit(db);
  let books = first;
  let exact = isExact(books);
  while (!exact && performance.now() + lookAgainEveryMs <= end) {
    await delay(lookAgainEveryMs);
    books = await readAudit(db);
    exact = isExactSince(first, books);
  }
  return { books, exact };
}

function describeBooks(books: Books, exact: boolean): string[] {
  const { accepted, counted, onUrls, purged, imported, removed, differing, quarantined } = books;
  const found = onUrls + purged - imported;
  const lines = [
    `  ${accepted} clicks accepted by web processes`,
    `  ${counted} counted on the ledger`,
    `  ${found} on short URLs${purged > 0 ? ` (${purged} of them on purged ones)` : ''}`,
  ];
  if (quarantined > 0)
    lines.push(`  ${quarantined} entries that could not be counted, in the table click_quarantine`);
  for (const { producer, accepted, counted, lastHeardAt } of exact ? [] : differing.slice(0, maxLines)) {
    lines.push(
      `  producer ${producer}: ${describeDifference(accepted, counted)}, last heard of at ${lastHeardAt.toISOString()}`,
    );
  }
  if (removed.accepted !== removed.counted) {
    lines.push(`  producers removed as idle: ${describeDifference(removed.accepted, removed.counted)}`);
  }
  if (counted !== found) lines.push(`  short URLs: ${describeDifference(counted, found, 'on the ledger')}`);
  if (imported > 0) lines.push(`  besides, short URLs brought ${imported} clicks along from elsewhere`);
  if (!exact) lines.push('Clicks may be on their way: look again with --wait 30.');
  return lines;
}

function describeAnalytics({ clicks, without, differing }: AnalyticsAudit): string[] {
  const lines = [
    `  ${clicks} in the analytics${without > 0 ? `, and ${without} from before there were any` : ''}`,
  ];
  for (const { shortCode, figure, expected, found } of differing.slice(0, maxLines))
    lines.push(`  short URL ${shortCode}, ${figure}: ${expected} expected, ${found} found`);
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
