import type { Settings } from '../../support/processes/launch.ts';
import { type Clicks, quarterMs, quarters } from './clicks.ts';
import type { SentClick } from './sent-clicks.ts';
import { detailSettings } from './visitors.ts';
import { runWebProcess, type WebProcessOutcome } from './web-process.ts';

/** Quarters of an hour per web process. The first process starts within the hour before midnight, when it fetches the
 *  next day's salt; so does one at the next midnight. */
const quartersPerProcess = 12;
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
  print: (line: string) => void;
}

/** Sends the day: each lane starts the next web process when its previous one has ended. */
export async function sendDay({ commandLine, settings, clicks, dayMs, print }: Day) {
  const sent: SentClick[] = [];
  const outcomes: WebProcessOutcome[] = [];
  const ranges = Array.from({ length: Math.ceil(quarters.length / quartersPerProcess) }, (_, i) =>
    quarters.slice(i * quartersPerProcess, (i + 1) * quartersPerProcess),
  );
  const runLane = async () => {
    for (let range = ranges.shift(); range; range = ranges.shift()) {
      outcomes.push(
        await runWebProcess({
          commandLine,
          settings: { ...settings, ...detailSettings },
          clicks,
          quarters: range,
          dayMs,
          onClick: (click, atMs) => sent.push({ ...click, atMs }),
        }),
      );
      print(`from ${timeOf(range[0]!)} to ${timeOf(range.at(-1)! + 1)}: ${sent.length} clicks in total`);
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
