import { createAnalyticsPartitions } from '../../src/analytics/analytics-partitions.ts';
import { createAnalyticsRemovals } from '../../src/analytics/analytics-removals.ts';
import { createVisitorSaltStore } from '../../src/clicks/details/visitor-salt-store.ts';
import { type Knex, openPostgres } from '../../src/postgres.ts';
import { maintainAnalytics } from '../../workers/maintain-analytics.ts';
import type { Bench } from '../faults/bench.ts';
import { createJobContext } from '../support/job-context.ts';
import { launch, readyWorker, runToEnd, type Settings } from '../support/launch.ts';
import { startTestRedis } from '../support/servers.ts';
import { insertUrls } from '../support/urls.ts';
import { waitUntil } from '../support/wait-until.ts';
import { type Clicks, createClicks, quarters } from './clicks.ts';
import { afterRetention, type Cut, figures, rows } from './cuts.ts';
import { type CutVerdict, judgeCut } from './judge.ts';
import { readPeakMegabytes } from './memory.ts';
import { detailSettings } from './people.ts';
import { type SentClick, writeSent } from './sent.ts';
import { runShift, type ShiftOutcome } from './shift.ts';

const shortUrls = 10_000;
/** Quarters of an hour that a web process lives; the first one begins within the hour before midnight, when it learns the next
 *  day's salt, and so does another at the midnight after. */
const quartersOfShift = 12;
/** Web processes at once, at different times of the day. */
const lanes = 2;
const dayLengthMs = 86_400_000;
const retentionDays = 90;

/** What came of a day. */
export interface DayOutcome {
  verdicts: CutVerdict[];
  /** Why the day is a failure, besides the verdicts. */
  problems: string[];
  clicks: number;
  /** Answers of a process that was too busy. */
  refused: number;
  webProcesses: number;
  seconds: number;
  countedAfterSeconds: number;
  peakMegabytes: { web: number; worker: number };
}

/** Sends a day of clicks to web processes whose clocks run through that day, beside a worker, and compares the analytics with what
 *  was sent. */
export async function runDay(
  bench: Bench,
  options: { seed: string; clicks: number; say: (line: string) => void },
): Promise<DayOutcome> {
  const database = await bench.createDatabase();
  const db = openPostgres({ url: database.url, poolMax: 4, queryTimeoutMs: 600_000, name: 'test' });
  const redis = await startTestRedis({ appendonly: true });
  const settings = { DATABASE_URL: database.url, REDIS_URL: redis.url };
  const worker = launch(bench.linkmill.worker, settings);
  try {
    await insertUrls(db, { begin: 'day', count: shortUrls, areClicked: false });
    const shortCodes = Array.from({ length: shortUrls }, (_, n) => `day${n}`);
    const clicks = createClicks(options.seed, options.clicks, shortCodes);
    await readyWorker(worker);
    const start = performance.now();
    const { sent, outcomes } = await sendDay(bench, settings, clicks, options.say);
    const sentAt = performance.now();
    const problems = outcomes.flatMap((outcome) => outcome.problems);
    await waitUntil('all is counted', async () => (await countClicks(db)) >= sent.length, 120_000).catch(
      (error: Error) => problems.push(error.message),
    );
    const countedAt = performance.now();
    const peakMegabytes = {
      web: Math.max(...outcomes.map((outcome) => outcome.peakMegabytes)),
      worker: await readPeakMegabytes(worker.pid),
    };
    problems.push(...(await reconcile(bench, database.url)));
    const code = await worker.stop();
    if (code !== 0) problems.push(`the worker ended with ${code}`);
    options.say(`${sent.length} clicks are sent; comparing`);
    await writeSent(db, clicks.persons, sent);
    return {
      verdicts: await judge(db, options.say),
      problems,
      clicks: sent.length,
      refused: outcomes.reduce((sum, { refused }) => sum + refused, 0),
      webProcesses: outcomes.length,
      seconds: (sentAt - start) / 1_000,
      countedAfterSeconds: (countedAt - sentAt) / 1_000,
      peakMegabytes,
    };
  } finally {
    worker.signal('SIGKILL');
    await worker.ended;
    await db.destroy();
    await redis.stop();
    await database.drop();
  }
}

/** Sends all of it: each lane takes the next shift when its last one is over. */
async function sendDay(bench: Bench, settings: Settings, clicks: Clicks, say: (line: string) => void) {
  const sent: SentClick[] = [];
  const outcomes: ShiftOutcome[] = [];
  // Tomorrow: salts of days long past are forgotten, and the worker has made its partition.
  const dayMs = (Math.floor(Date.now() / dayLengthMs) + 1) * dayLengthMs;
  const shifts = Array.from({ length: Math.ceil(quarters.length / quartersOfShift) }, (_, i) =>
    quarters.slice(i * quartersOfShift, (i + 1) * quartersOfShift),
  );
  const runLane = async () => {
    for (let shift = shifts.shift(); shift; shift = shifts.shift()) {
      outcomes.push(
        await runShift({
          commandLine: bench.linkmill.web,
          settings: { ...settings, ...detailSettings },
          clicks,
          quarters: shift,
          dayMs,
          onClick: (click, atMs) => sent.push({ ...click, atMs }),
        }),
      );
      say(`from ${timeOf(shift[0]!)} to ${timeOf(shift.at(-1)! + 1)}: ${sent.length} clicks in all`);
    }
  };
  await Promise.all(Array.from({ length: lanes }, runLane));
  return { sent, outcomes };
}

const timeOf = (quarter: number) =>
  new Date(dayLengthMs + quarter * 900_000)
    .toISOString()
    .slice(11, 16)
    .concat(quarter < 0 ? ' (eve)' : '');

async function countClicks(db: Knex): Promise<number> {
  const [row] = await db('url_stats').sum<{ clicks: string }[]>('click_count as clicks');
  return Number(row?.clicks);
}

/** Asks the service itself. */
async function reconcile(bench: Bench, databaseUrl: string): Promise<string[]> {
  const commandLine = bench.linkmill.reconcile!(10);
  const { code, stdout, stderr } = await runToEnd(commandLine, { DATABASE_URL: databaseUrl });
  return code === 0 ? [] : [`reconcile ended with ${code}:\n${stdout}${stderr}`];
}

/** Compares all there is, and again when the rows are past their retention. */
async function judge(db: Knex, say: (line: string) => void): Promise<CutVerdict[]> {
  const verdicts: CutVerdict[] = [];
  const judgeAll = async (cuts: Cut[]) => {
    for (const cut of cuts) verdicts.push(await judgeCut(db, cut));
  };
  await judgeAll([...figures, ...rows]);
  say('dropping the rows, as after their retention');
  await maintainAnalytics(
    {
      salts: createVisitorSaltStore(db),
      partitions: createAnalyticsPartitions(db),
      removals: createAnalyticsRemovals(db),
      now: () => new Date(Date.now() + (retentionDays + 4) * dayLengthMs),
    },
    retentionDays,
    createJobContext(),
  );
  await judgeAll(afterRetention);
  return verdicts;
}
