import { createRandom, createZipf, type Random } from '../../test/support/random.ts';

const visitors = 20_000;
const botShare = 0.15;

const version = ({ between }: Random) => between(100, 142);
const desktops = ['Windows NT 10.0; Win64; x64', 'Macintosh; Intel Mac OS X 10_15_7', 'X11; Linux x86_64'];
const chrome = (system: string, random: Random, more = '') =>
  `Mozilla/5.0 (${system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${version(random)}.0.0.0 ${more}Safari/537.36`;
const safari = (device: string, random: Random) =>
  `Mozilla/5.0 (${device} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/${random.between(14, 18)}.${random.between(0, 6)} Mobile/15E148 Safari/604.1`;
const android = ({ between }: Random, model: string) => `Linux; Android ${between(9, 15)}; ${model}`;

/** Kinds of browsers, the most common first. */
const browsers: ((random: Random) => string)[] = [
  (random) => chrome(android(random, 'K'), random, 'Mobile '),
  (random) => chrome(desktops[0]!, random),
  (random) => safari(`iPhone; CPU iPhone OS 17_${random.between(0, 7)}`, random),
  (random) => chrome(desktops[1]!, random),
  (random) => `${chrome(desktops[0]!, random)} Edg/${version(random)}.0.0.0`,
  (random) =>
    `Mozilla/5.0 (${random.pick(desktops)}; rv:${version(random)}.0) Gecko/20100101 Firefox/${version(random)}.0`,
  (random) =>
    chrome(android(random, 'SM-S911B'), random, `SamsungBrowser/${random.between(20, 27)}.0 Mobile `),
  (random) =>
    `Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/${random.between(14, 18)}.${random.between(0, 6)} Safari/605.1.15`,
  (random) => safari(`iPad; CPU OS 16_${random.between(0, 7)}`, random),
  (random) => chrome(desktops[2]!, random),
  (random) => `${chrome(desktops[0]!, random)} OPR/${random.between(90, 120)}.0.0.0`,
];
const bots = [
  'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
  'Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)',
  'facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)',
  'Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)',
  'Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)',
  'Twitterbot/1.0',
  'curl/8.5.0',
  'python-requests/2.31.0',
];

/** `n` different user agents: a few common ones, many rare ones. */
function createAgents(random: Random, count: number): () => string {
  const kindOf = createZipf(browsers, random);
  const agents = new Set<string>();
  while (agents.size < count - bots.length) agents.add(kindOf()(random));
  const pickBrowser = createZipf([...agents], random);
  const pickBot = createZipf(bots, random);
  return () => (random.next() < botShare ? pickBot() : pickBrowser());
}

/** Host names of typical length. */
function createHosts({ between }: Random, count: number): string[] {
  const letters = 'etaoinshrdlucmfwypvbgkjqxz';
  const known = ['www.google.com', 'www.facebook.com', 't.co', 'news.ycombinator.com', 'www.reddit.com'];
  const name = () => Array.from({ length: between(4, 14) }, () => letters[between(0, 11)]).join('');
  return [...known, ...Array.from({ length: count - known.length }, () => `${name()}.com`)];
}

const createCountries = (count: number) =>
  Array.from({ length: count }, (_, n) => String.fromCharCode(65 + (n % 26), 65 + Math.floor(n / 26)));

/** Settings with which a web process reads addresses and countries from these headers. */
export const detailSettings = { COUNTRY_HEADER: 'CF-IPCountry', TRUSTED_PROXY_HOPS: '1' };

/** Visitors of a busy service: 500 user agents, 60 countries and 300 referrers by Zipf's law, 15 % bots, half of the
 *  clicks without a referrer. Returns the headers of successive requests, as a proxy and a CDN forward them. */
export function createVisitors(seed: string): () => Record<string, string> {
  const random = createRandom(seed);
  const pickAgent = createAgents(random, 500);
  const pickHost = createZipf(createHosts(random, 300), random);
  const pickCountry = createZipf(createCountries(60), random);
  const people = Array.from({ length: visitors }, (_, n) => ({
    'User-Agent': pickAgent(),
    'CF-IPCountry': pickCountry(),
    'X-Forwarded-For': `198.51.${n >> 8}.${n & 255}`,
  }));
  return () => ({
    ...random.pick(people),
    ...(random.next() < 0.5 ? {} : { Referer: `https://${pickHost()}/` }),
    Accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
    'Accept-Language': 'en-US,en;q=0.5',
    'Accept-Encoding': 'gzip, deflate, br',
  });
}
