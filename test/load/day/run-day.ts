import { type Knex, openPostgres } from '../../../src/storage/postgres/postgres.ts';
import type { Testbed } from '../../chaos/matrix/testbed.ts';
import { launch, readyWorker, runToEnd, type TestProcess } from '../../support/processes/launch.ts';
import { startTestRedis } from '../../support/services/servers.ts';
import { insertUrls } from '../../support/urls/urls.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { createClicks } from './clicks.ts';
import { readPeakMegabytes } from './memory.ts';
import type { BreakdownResult } from './oracle/compare-breakdown.ts';
import { compareDay } from './oracle/compare-day.ts';
import { type Day, sendDay } from './send-day.ts';
import { type SentClick, writeSent } from './sent-clicks.ts';

const shortUrls = 10_000;
const dayLengthMs = 86_400_000;
/** How long counting may take after the last answer. */
const countingTimeoutMs = 120_000;

/** Result of a day. */
export interface DayOutcome extends Traffic {
  results: BreakdownResult[];
}

/** Result of sending and counting. */
interface Traffic {
  /** Failures. */
  problems: string[];
  sent: SentClick[];
  /** Number of rejected requests. */
  refused: number;
  webProcesses: number;
  seconds: number;
  countedAfterSeconds: number;
  peakMegabytes: { web: number; worker: number };
}

/** Sends a day of clicks to web processes whose clocks run through that day, with a worker, and compares the
 *  analytics with the clicks. */
export async function runDay(
  testbed: Testbed,
  options: { seed: string; clicks: number; print: (line: string) => void },
): Promise<DayOutcome> {
  const database = await testbed.createDatabase();
  const db = openPostgres({ url: database.url, poolMax: 4, queryTimeoutMs: 600_000, name: 'test' });
  const redis = await startTestRedis({ appendonly: true });
  const settings = { DATABASE_URL: database.url, REDIS_URL: redis.url };
  const worker = launch(testbed.linkmill.worker, settings);
  try {
    await insertUrls(db, { begin: 'day', count: shortUrls, areClicked: false });
    const shortCodes = Array.from({ length: shortUrls }, (_, n) => `day${n}`);
    const clicks = createClicks(options.seed, options.clicks, shortCodes);
    // Tomorrow: old salts are deleted, and the worker has created its partition.
    const dayMs = (Math.floor(Date.now() / dayLengthMs) + 1) * dayLengthMs;
    await readyWorker(worker);
    const day = { commandLine: testbed.linkmill.web, settings, clicks, dayMs, print: options.print };
    const traffic = await send(db, worker, day);
    traffic.problems.push(...(await endAndReconcile(testbed, worker, database.url)));
    options.print(`${traffic.sent.length} clicks sent, comparing`);
    await writeSent(db, clicks.visitors, traffic.sent);
    return { ...traffic, results: await compareDay(db, day, shortCodes) };
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
  await waitUntil('all clicks are counted', isCounted, countingTimeoutMs).catch((error: Error) =>
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

/** Stops the worker and runs the audit. */
async function endAndReconcile(
  testbed: Testbed,
  worker: TestProcess,
  databaseUrl: string,
): Promise<string[]> {
  const end = await worker.stop();
  const commandLine = testbed.linkmill.reconcile!(10);
  const { code, stdout, stderr } = await runToEnd(commandLine, { DATABASE_URL: databaseUrl });
  return [
    ...(end === 0 ? [] : [`the worker exited with ${end}`]),
    ...(code === 0 ? [] : [`reconcile ended with ${code}:\n${stdout}${stderr}`]),
  ];
}
