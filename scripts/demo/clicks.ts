import type { Batch, ClickCount } from '../../src/clicks/click-batch.ts';
import type { DemoLink } from './links.ts';
import type { Random } from './random.ts';
import { createVisits, weekdays } from './visitors.ts';

const dayMs = 86_400_000;
const days = 30;

/** A link with the ID of its short URL. */
export type CreatedLink = DemoLink & { urlId: number };

/** Clicks of the 30 days before `now`, a batch for each day. Some links are far more popular than others, interest in news fades, and people sleep
 *  and work. */
export function createDemoBatches(
  links: CreatedLink[],
  { random, now, producer }: { random: Random; now: Date; producer: string },
): Batch[] {
  const visit = createVisits(random);
  const today = Math.floor(now.getTime() / dayMs) * dayMs;
  // Few links get most clicks (Zipf).
  const popularity = new Map(links.map((link) => [link, 0.15 + 0.55 / (1 - random.next() * 0.97)]));
  const left = new Map(links.map((link) => [link, link.maxClicks ?? Infinity]));

  /** The company grows: at the end of the month it has 1.6 times the clicks of the beginning. */
  const growth = (midnightMs: number) => 0.5 * 1.6 ** (1 - (today - midnightMs) / (days * dayMs));

  function clicksOf(link: CreatedLink, midnightMs: number): ClickCount[] {
    const begin = link.createdAt.getTime();
    const end = Math.min(now.getTime(), link.endsAt?.getTime() ?? Infinity);
    const mean =
      link.section.dailyClicks * popularity.get(link)! * interest(link, midnightMs) * growth(midnightMs);
    const clicks = Array.from({ length: random.count(mean) }, () => visit(link.section.tag, midnightMs))
      .filter(({ atMs }) => atMs > begin && atMs < end)
      .toSorted((a, b) => a.atMs - b.atMs)
      .slice(0, left.get(link));
    left.set(link, left.get(link)! - clicks.length);
    return clicks.map(({ atMs, detail }) => ({ urlId: link.urlId, count: 1, lastAtMs: atMs, detail }));
  }

  let accepted = 0;
  const batches = Array.from({ length: days + 1 }, (_, i) =>
    links.flatMap((link) => clicksOf(link, today - (days - i) * dayMs)),
  ).filter((clicks) => clicks.length > 0);
  return batches.map((clicks, i) => ({
    producer,
    seq: i + 1,
    accepted: (accepted += clicks.length),
    clicks,
  }));
}

/** Share of the usual clicks on a day: the weekday, and for news the time since it was new. */
function interest({ section, createdAt }: CreatedLink, midnightMs: number): number {
  const { halfLifeDays } = section;
  const ageDays = Math.max(0, (midnightMs - createdAt.getTime()) / dayMs);
  const novelty = halfLifeDays === undefined ? 1 : 0.04 + 3 * 0.5 ** (ageDays / halfLifeDays);
  return weekdays[new Date(midnightMs).getUTCDay()]! * novelty;
}
