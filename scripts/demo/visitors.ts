import type { ClickDetail } from '../../src/clicks/click-detail.ts';
import { createUserAgents } from '../../src/clicks/enrichment/agents/user-agents.ts';
import type { Random } from './random.ts';

type Weights<T> = readonly (readonly [value: T, weight: number])[];

/** Country, and the hours by which its clocks differ from UTC. */
const countries: Weights<readonly [country: string, offset: number]> = [
  [['DE', 1], 34],
  [['AT', 1], 11],
  [['CH', 1], 8],
  [['US', -6], 9],
  [['GB', 0], 7],
  [['FR', 1], 6],
  [['NL', 1], 6],
  [['BE', 1], 4],
  [['PL', 1], 3],
  [['IT', 1], 3],
  [['SE', 1], 2],
  [['ES', 1], 2],
  [['CA', -5], 2],
  [['IN', 5.5], 2],
  [['BR', -3], 1],
  [['JP', 9], 1],
];

/** Share of a day's clicks by local hour, from midnight. */
const hours: Weights<number> = [
  2, 1, 0.6, 0.4, 0.4, 1, 3, 6, 9, 10, 10, 9.5, 9, 9, 9, 8.5, 8, 8.5, 9.5, 11, 12, 10.5, 7, 4,
].map((weight, hour) => [hour, weight] as const);

/** Share of a week's clicks by day, from Sunday. */
export const weekdays: readonly number[] = [0.75, 1.1, 1.15, 1.1, 1.05, 0.95, 0.65];

const people: Weights<string> = [
  [
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36',
    20,
  ],
  [
    'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36',
    22,
  ],
  [
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1',
    20,
  ],
  [
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15',
    8,
  ],
  [
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36',
    6,
  ],
  ['Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:144.0) Gecko/20100101 Firefox/144.0', 7],
  ['Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0', 3],
  [
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0',
    7,
  ],
  [
    'Mozilla/5.0 (Linux; Android 14; SAMSUNG SM-S921B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36',
    5,
  ],
  [
    'Mozilla/5.0 (iPad; CPU OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1',
    3,
  ],
];

const bots: Weights<string> = [
  ['Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)', 30],
  ['Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)', 12],
  ['facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)', 14],
  ['Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)', 9],
  [
    'Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)',
    16,
  ],
  ['Mozilla/5.0 (compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)', 8],
  ['python-requests/2.32.3', 6],
];

/** Referrers by tag; '' is direct or unknown. */
const referrers: Record<string, Weights<string>> = {
  docs: [
    ['', 30],
    ['www.google.com', 34],
    ['support.example.com', 14],
    ['duckduckgo.com', 7],
    ['www.bing.com', 6],
    ['www.reddit.com', 5],
  ],
  blog: [
    ['', 35],
    ['www.google.com', 18],
    ['m.facebook.com', 14],
    ['t.co', 10],
    ['www.linkedin.com', 8],
    ['bsky.app', 6],
    ['news.ycombinator.com', 4],
  ],
  newsletter: [
    ['', 70],
    ['mail.google.com', 14],
    ['outlook.live.com', 9],
    ['mail.yahoo.com', 3],
  ],
  campaign: [
    ['', 34],
    ['l.instagram.com', 24],
    ['m.facebook.com', 17],
    ['www.google.com', 11],
    ['www.tiktok.com', 7],
    ['t.co', 4],
  ],
  jobs: [
    ['', 30],
    ['www.linkedin.com', 45],
    ['www.xing.com', 12],
    ['www.google.com', 8],
  ],
  print: [['', 100]],
};
const otherReferrers: Weights<string> = [
  ['', 45],
  ['www.google.com', 25],
  ['www.example.com', 15],
  ['m.facebook.com', 6],
  ['www.bing.com', 4],
];

const botShare = 0.11;
/** Share of clicks by somebody who has clicked on the same day. */
const returningShare = 0.3;

/** Who clicks. */
interface Visitor {
  visitor: string;
  header: string;
  isBot: boolean;
  country: string;
  /** Hours by which the visitor's clocks differ from UTC. */
  offset: number;
}

/** Creates visits of links with a tag on a day: their time, and the details that the service would derive from their requests. */
export function createVisits(random: Random) {
  const userAgents = createUserAgents();
  /** Visitor IDs are valid for a day. */
  let known: { midnightMs: number; visitors: Visitor[] } = { midnightMs: 0, visitors: [] };

  function createVisitor(): Visitor {
    const isBot = random.next() < botShare;
    const [country, offset] = isBot ? (['US', 0] as const) : random.pick(countries);
    return { visitor: random.hex(16), header: random.pick(isBot ? bots : people), isBot, country, offset };
  }

  function visitorOf(midnightMs: number): Visitor {
    if (known.midnightMs !== midnightMs) known = { midnightMs, visitors: [] };
    const { visitors } = known;
    if (random.next() < returningShare && visitors.length > 0)
      return visitors[random.below(visitors.length)]!;
    const visitor = createVisitor();
    visitors.push(visitor);
    return visitor;
  }

  return (tag: string, midnightMs: number): { atMs: number; detail: ClickDetail } => {
    const { visitor, header, isBot, country, offset } = visitorOf(midnightMs);
    const hour = isBot ? random.below(24) : random.pick(hours);
    const agent = userAgents.find(header);
    return {
      atMs: midnightMs + Math.floor((hour - offset + random.next()) * 3_600_000),
      detail: {
        country,
        referrer: isBot ? '' : random.pick(referrers[tag] ?? otherReferrers),
        browser: agent.browser,
        os: agent.os,
        device: agent.device,
        isBot: agent.isBot,
        botKind: agent.botKind,
        visitor,
      },
    };
  };
}
