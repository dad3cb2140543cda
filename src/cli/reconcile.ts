import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { compareInSlices, createAnalyticsSlices } from '../analytics/rollups/audit-slices.ts';
import { readAnalyticsTotals } from '../analytics/rollups/audit.ts';
import { isExact, isExactSince, readAudit } from '../clicks/ledger/audit.ts';
import { databaseSettings } from '../config/database.ts';
import { loadConfigOrExit } from '../config/load.ts';
import { describeEpochs, readEpochReport } from '../epoch/epoch-report.ts';
import { openPostgres } from '../storage/postgres/postgres.ts';
import { requireSchema } from '../storage/schema/require-schema.ts';
import { readArguments } from './command-line.ts';
import { type AnalyticsComparison, describeAnalytics, describeAudit, maxLines } from './reconcile-report.ts';

/** `npm run reconcile [-- --wait SECONDS] [--since TIME]`: compares the clicks that web processes accepted with the ledger and the
 *  counters, and the counters with the analytics, in slices of short URLs. With `--wait`, it waits until the clicks accepted at the start are
 *  counted; with `--since`, it compares the analytics of short URLs that were clicked since then. Exit code 0 when they match, 1 when they do
 *  not, 2 when they could not be read. */
const queryTimeoutMs = 600_000;
/** Web processes report accepted clicks once a second; after this time the latest reports have arrived. */
const reportDelayMs = 2_000;
const retryIntervalMs = 500;

/** How often progress is written to stderr. */
const progressEveryMs = 5_000;

const usage = `Usage: npm run reconcile [-- --wait SECONDS] [--since TIME]
  Compares the clicks that web processes accepted with the ledger, the counters and the analytics.
  --wait SECONDS  wait up to this long until the clicks accepted so far are counted (0 to 3600)
  --since TIME    compare the analytics of short URLs that were clicked since then only, such as 2026-11-30 or 2026-11-30T08:00:00Z
  Exit code 0 when they match, 1 when they do not, 2 when they could not be read.
`;

const { waitMs, since } = readArguments(usage, readOptions);
const { DATABASE_URL: url } = loadConfigOrExit(databaseSettings);
const db = openPostgres({ url, poolMax: 1, queryTimeoutMs, name: 'reconcile' });
try {
  await requireSchema(db, (line) => void process.stderr.write(`${line}\n`));
  const { audit, exact } = await readAuditUntilExact();
  const totals = await readAnalyticsTotals(db);
  // Read once: the analytics match the counters at each moment.
  const analytics = await compareAnalytics();
  const epochs = await readEpochReport(db);
  const matches = exact && analytics.count === 0 && analytics.skipped === 0;
  const lines = [
    matches ? 'exact' : 'not exact',
    ...describeAudit(audit, exact),
    ...describeAnalytics(totals, analytics, since),
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

async function compareAnalytics(): Promise<AnalyticsComparison> {
  const result: AnalyticsComparison = { checked: 0, skipped: 0, count: 0, differing: [] };
  let saidAt = performance.now();
  const slices = createAnalyticsSlices(db, { since });
  for await (const { checked, total, skipped, found } of compareInSlices(slices)) {
    Object.assign(result, { checked, skipped, count: result.count + found.length });
    result.differing.push(...found.slice(0, maxLines - result.differing.length));
    if (performance.now() < saidAt + progressEveryMs) continue;
    saidAt = performance.now();
    process.stderr.write(`compared ${checked} of ${total} short URLs\n`);
  }
  return result;
}

function readOptions(args: string[]): { waitMs: number; since: Date | undefined } {
  const { values } = parseArgs({
    args,
    options: { wait: { type: 'string', default: '0' }, since: { type: 'string' } },
  });
  const seconds = values.wait === '' ? Number.NaN : Number(values.wait);
  if (!(seconds >= 0 && seconds <= 3_600))
    throw new Error('--wait must be a number of seconds from 0 to 3600');
  return { waitMs: seconds * 1_000, since: values.since === undefined ? undefined : readTime(values.since) };
}

/** Dates are UTC. */
function readTime(text: string): Date {
  const time = new Date(
    /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/.test(text) ? text : Number.NaN,
  );
  if (Number.isNaN(time.getTime()))
    throw new Error('--since must be a date, or a time with its zone, such as 2026-11-30T08:00:00Z');
  return time;
}
