import { setTimeout as delay } from 'node:timers/promises';
import { createFakeClock, type FakeClock } from '../../chaos/matrix/fake-clock.ts';
import {
  launch,
  placeWeb,
  readyWeb,
  type Settings,
  type TestProcess,
} from '../../support/processes/launch.ts';
import { type Click, type Clicks, quarterMs } from './clicks.ts';
import { createClients } from './clients.ts';
import { readPeakMegabytes } from './memory.ts';

const clients = 16;
/** How long before the start of a quarter the clock is set. */
const leadMs = 1_500;
/** Pause before the start of a quarter, so that each click belongs to a known quarter. */
const holdMs = 1_000;
/** Maximum share of a quarter's clicks that is sent before it begins. */
const earlyShare = 1 / 8;

/** Result of the run of a web process. */
export interface WebProcessOutcome {
  refused: number;
  peakMegabytes: number;
  problems: string[];
}

/** Runs a web process under load through consecutive quarters of an hour. Its clock jumps from shortly after the
 *  start of a quarter to shortly before the next one. Calls `onClick` for each redirect with a time in its quarter,
 *  by the clock of the process. */
export async function runWebProcess(options: {
  commandLine: string[];
  settings: Settings;
  clicks: Clicks;
  quarters: number[];
  /** Start of the day by the clock of the process. */
  dayMs: number;
  onClick: (click: Click, atMs: number) => void;
}): Promise<WebProcessOutcome> {
  const { commandLine, clicks, quarters, dayMs, onClick } = options;
  const problems: string[] = [];
  const clock = await createFakeClock();
  const startOf = (quarter: number) => dayMs + quarter * quarterMs;
  // Start within the quarter: a new process has no salt of the day before.
  await moveTo(clock, startOf(quarters[0]!) + 60_000);
  const placed = await placeWeb({ ...options.settings, ...clock.settings });
  const web = launch(commandLine, placed);
  try {
    const { baseUrl } = await readyWeb(web, placed);
    const sender = createClients({
      baseUrl,
      count: clients,
      now: clock.now,
      onProblem: (problem) => problems.push(problem),
      onRedirect: (click, begunAt, endedAt) => {
        if (quarterOf(begunAt) === quarterOf(endedAt)) onClick(click, begunAt);
        else problems.push('an answer took too long to assign it to a quarter of an hour');
      },
    });
    for (const [i, quarter] of quarters.entries()) {
      const upcoming = [...clicks.of(quarter)];
      if (i > 0) await sendAcross(clock, startOf(quarter), sender, upcoming);
      await sender.send(() => upcoming.pop());
    }
    sender.close();
    const peakMegabytes = await readPeakMegabytes(web.pid);
    problems.push(...(await end(web)));
    return { refused: sender.refused, peakMegabytes, problems };
  } finally {
    web.signal('SIGKILL');
    await clock.remove();
  }
}

/** Sends some of the clicks before a given time, and waits until that time. */
async function sendAcross(
  clock: FakeClock,
  beginMs: number,
  sender: ReturnType<typeof createClients>,
  upcoming: Click[],
): Promise<void> {
  await moveTo(clock, beginMs - leadMs);
  const left = upcoming.length * (1 - earlyShare);
  await sender.send(() =>
    upcoming.length > left && clock.now() < beginMs - holdMs ? upcoming.pop() : undefined,
  );
  await delay(Math.max(beginMs - clock.now(), 0) + 1);
}

const moveTo = async (clock: FakeClock, ms: number) => await clock.setOffset((ms - Date.now()) / 1_000);

const quarterOf = (ms: number) => Math.floor(ms / quarterMs);

async function end(web: TestProcess): Promise<string[]> {
  const code = await web.stop();
  return code === 0 ? [] : [`a web process exited with ${code}:\n${web.output().slice(-2_000)}`];
}
