import { createRandom, createZipf } from '../../support/random.ts';
import { createVisitors, noReferrers, type Visitor, type Referrer, referrers } from './visitors.ts';

/** A request to send. */
export interface Click {
  shortCode: string;
  visitor: Visitor;
  referrer: Referrer;
}

export const quarterMs = 900_000;
const quartersOfDay = 96;
const botShare = 0.15;
const visitors = 20_000;

/** Quarters of an hour of a day, plus an hour before and after it, so that both midnights are included. */
export const quarters = Array.from({ length: quartersOfDay + 8 }, (_, n) => n - 4);

export type Clicks = ReturnType<typeof createClicks>;

/** Creates the clicks of a day, deterministically from the seed: short URLs, agents, countries and referrers follow
 *  Zipf distributions, and nights are quiet. */
export function createClicks(seed: string, total: number, shortCodes: string[]) {
  const { humans, bots } = createVisitors(seed, visitors);
  /** Cumulative weight at the start of each quarter. */
  const before = [0];
  for (const quarter of quarters) before.push(before.at(-1)! + weightOf(quarter));
  const begunAt = (index: number) => Math.round((total * before[index]!) / before.at(-1)!);

  return {
    visitors: [...humans, ...bots],

    /** Yields the clicks of a quarter. */
    *of(quarter: number): Generator<Click> {
      const random = createRandom(`${seed} quarter ${quarter}`);
      const pickCode = createZipf(shortCodes, random);
      const pickReferrer = createZipf(referrers, random);
      const index = quarters.indexOf(quarter);
      for (let left = begunAt(index + 1) - begunAt(index); left > 0; left--) {
        yield {
          shortCode: pickCode(),
          visitor: random.pick(random.next() < botShare ? bots : humans),
          referrer: random.next() < 0.4 ? random.pick(noReferrers) : pickReferrer(),
        };
      }
    },
  };
}

/** Most clicks happen in the afternoon, five times as many as at night. */
const weightOf = (quarter: number) => 3 + 2 * Math.cos((2 * Math.PI * (quarter - 60)) / quartersOfDay);
