import type { Settings } from '../../support/processes/launch.ts';
import { type Clicks, quarterMs, quarters } from './clicks.ts';
import { runShift, type ShiftOutcome } from './oracle/shift.ts';
import { detailSettings } from './people.ts';
import type { SentClick } from './sent.ts';

/** Quarters of an hour per web process. The first process starts within the hour before midnight, when it fetches the
 *  next day's salt; so does one at the next midnight. */
const quartersOfShift = 12;
/** Number of concurrent web processes, at different times of the day. */
const lanes = 2;

/** A day of clicks, and the web process that receives them. */
export interface Day {
  /** Command line and settings of a web process. */
  commandLine: string[];
  settings: Settings;
  clicks: Clicks;
  /** Start of the day. */
  dayMs: number;
  say: (line: string) => void;
}

/** Sends the day: each lane takes the next shift when its previous one has ended. */
export async function sendDay({ commandLine, settings, clicks, dayMs, say }: Day) {
  const sent: SentClick[] = [];
  const outcomes: ShiftOutcome[] = [];
  const shifts = Array.from({ length: Math.ceil(quarters.length / quartersOfShift) }, (_, i) =>
    quarters.slice(i * quartersOfShift, (i + 1) * quartersOfShift),
  );
  const runLane = async () => {
    for (let shift = shifts.shift(); shift; shift = shifts.shift()) {
      outcomes.push(
        await runShift({
          commandLine,
          settings: { ...settings, ...detailSettings },
          clicks,
          quarters: shift,
          dayMs,
          onClick: (click, atMs) => sent.push({ ...click, atMs }),
        }),
      );
      say(`from ${timeOf(shift[0]!)} to ${timeOf(shift.at(-1)! + 1)}: ${sent.length} clicks in total`);
    }
  };
  await Promise.all(Array.from({ length: lanes }, runLane));
  return { sent, outcomes };
}

const timeOf = (quarter: number) =>
  new Date(quarter * quarterMs)
    .toISOString()
    .slice(11, 16)
    .concat(quarter < 0 ? ' (day before)' : '');
