import { setTimeout as delay } from 'node:timers/promises';
import { createFakeClock, type FakeClock } from '../../../chaos/matrix/fake-clock.ts';
import {
  launch,
  placeWeb,
  readyWeb,
  type Settings,
  type TestProcess,
} from '../../../support/processes/launch.ts';
import { type Click, type Clicks, quarterMs } from '../clicks.ts';
import { createClients } from '../clients.ts';
import { readPeakMegabytes } from '../memory.ts';

const clients = 16;
/** How long before a quarter of an hour begins the clock is set. */
const leadMs = 800;
/** How long before it nothing is sent any more, so that it is known on which side each click is. */
const holdMs = 300;
/** Share of a quarter's clicks that is sent before it begins, at most. */
const eveShare = 1 / 8;

/** What came of a shift. */
export interface ShiftOutcome {
  refused: number;
  peakMegabytes: number;
  problems: string[];
}

/** Runs a web process through quarters of an hour that follow each other, under load. Its clock jumps from shortly after the
 *  beginning of one to shortly before that of the next. `onClick` is told of each answered redirect, and of a moment in the same
 *  quarter by the clock of the process. */
export async function runShift(options: {
  commandLine: string[];
  settings: Settings;
  clicks: Clicks;
  quarters: number[];
  /** When the day begins by the clock of the process. */
  dayMs: number;
  onClick: (click: Click, atMs: number) => void;
}): Promise<ShiftOutcome> {
  const { commandLine, clicks, quarters, dayMs, onClick } = options;
  const problems: string[] = [];
  const clock = await createFakeClock();
  const beginOf = (quarter: number) => dayMs + quarter * quarterMs;
  // Within it: a process that starts knows no visitors of the day before.
  await moveTo(clock, beginOf(quarters[0]!) + 60_000);
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
        else problems.push('an answer took so long that its quarter of an hour is not known');
      },
    });
    for (const [i, quarter] of quarters.entries()) {
      const coming = [...clicks.of(quarter)];
      if (i > 0) await crossInto(clock, beginOf(quarter), sender, coming);
      await sender.send(() => coming.pop());
    }
    sender.leave();
    const peakMegabytes = await readPeakMegabytes(web.pid);
    problems.push(...(await end(web)));
    return { refused: sender.refused, peakMegabytes, problems };
  } finally {
    web.signal('SIGKILL');
    await clock.remove();
  }
}

/** Sends a part of the coming clicks before a moment, and waits until it is there. */
async function crossInto(
  clock: FakeClock,
  beginMs: number,
  sender: ReturnType<typeof createClients>,
  coming: Click[],
): Promise<void> {
  await moveTo(clock, beginMs - leadMs);
  const left = coming.length * (1 - eveShare);
  await sender.send(() =>
    coming.length > left && clock.now() < beginMs - holdMs ? coming.pop() : undefined,
  );
  await delay(Math.max(beginMs - clock.now(), 0) + 1);
}

const moveTo = async (clock: FakeClock, ms: number) => await clock.setOffset((ms - Date.now()) / 1_000);

const quarterOf = (ms: number) => Math.floor(ms / quarterMs);

async function end(web: TestProcess): Promise<string[]> {
  const code = await web.stop();
  return code === 0 ? [] : [`a web process ended with ${code}:\n${web.output().slice(-2_000)}`];
}
