import { type Knex, openPostgres } from '../../../src/storage/postgres/postgres.ts';
import type { Bench } from '../../chaos/matrix/bench.ts';
import { launch, readyWorker, runToEnd, type TestProcess } from '../../support/processes/launch.ts';
import { startTestRedis } from '../../support/services/servers.ts';
import { insertUrls } from '../../support/urls/urls.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { createClicks } from './clicks.ts';
import { readPeakMegabytes } from './memory.ts';
import type { CutVerdict } from './oracle/judge-cut.ts';
import { judgeDay } from './oracle/judge-day.ts';
import { type Day, sendDay } from './send-day.ts';
import { type SentClick, writeSent } from './sent.ts';

const shortUrls = 10_000;
const dayLengthMs = 86_400_000;
/** How long counting may go on after the last answer. */
const patienceMs = 120_000;

/** What came of a day. */
export interface DayOutcome extends Traffic {
  verdicts: CutVerdict[];
}

/** How the sending and counting went. */
interface Traffic {
  /** What did not go as it must. */
  problems: string[];
  sent: SentClick[];
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
    // Tomorrow: salts of days long past are forgotten, and the worker makes its partition.
    const dayMs = (Math.floor(Date.now() / dayLengthMs) + 1) * dayLengthMs;
    await readyWorker(worker);
    const day = { commandLine: bench.linkmill.web, settings, clicks, dayMs, say: options.say };
    const traffic = await send(db, worker, day);
    traffic.problems.push(...(await endAndReconcile(bench, worker, database.url)));
    options.say(`${traffic.sent.length} clicks are sent; comparing`);
    await writeSent(db, clicks.persons, traffic.sent);
    return { ...traffic, verdicts: await judgeDay(db, day, shortCodes) };
  } finally {
    worker.signal('SIGKILL');
    await worker.ended;
    await db.destroy();
    await redis.stop();
    await database.drop();
  }
}

/** Sends all clicks and waits until they are counted. */
async function send(db: Knex, worker: TestProcess, day: Day): Promise<Traffic> {
  const start = performance.now();
  const { sent, outcomes } = await sendDay(day);
  const sentAt = performance.now();
  const problems = outcomes.flatMap((outcome) => outcome.problems);
  const isCounted = async () => (await countClicks(db)) >= sent.length;
  await waitUntil('all is counted', isCounted, patienceMs).catch((error: Error) =>
    problems.push(error.message),
  );
  return {
    problems,
    sent,
    refused: outcomes.reduce((sum, { refused }) => sum + refused, 0),
    webProcesses: outcomes.length,
    seconds: (sentAt - start) / 1_000,
    countedAfterSeconds: (performance.now() - sentAt) / 1_000,
    peakMegabytes: {
      web: Math.max(...outcomes.map((outcome) => outcome.peakMegabytes)),
      worker: await readPeakMegabytes(worker.pid),
    },
  };
}

async function countClicks(db: Knex): Promise<number> {
  const [row] = await db('url_stats').sum<{ clicks: string }[]>('click_count as clicks');
  return Number(row?.clicks);
}

/** Ends the worker and asks the service itself. */
async function endAndReconcile(bench: Bench, worker: TestProcess, databaseUrl: string): Promise<string[]> {
  const end = await worker.stop();
  const commandLine = bench.linkmill.reconcile!(10);
  const { code, stdout, stderr } = await runToEnd(commandLine, { DATABASE_URL: databaseUrl });
  return [
    ...(end === 0 ? [] : [`the worker ended with ${end}`]),
    ...(code === 0 ? [] : [`reconcile ended with ${code}:\n${stdout}${stderr}`]),
  ];
}
