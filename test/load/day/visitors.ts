import { createRandom, createZipf } from '../../support/random.ts';
import { type Agent, personAgents } from './agents.ts';
import { botAgents } from './bot-agents.ts';

/** A client: a browser or a bot at an address. */
export interface Visitor extends Agent {
  address: string;
  /** Expected country in the analytics; empty if the CDN does not know it. */
  country: string;
  /** Headers other than the referrer, as forwarded by a CDN and a proxy. */
  headers: Record<string, string>;
  /** Whether the client opts out of tracking. */
  isPrivate: boolean;
}

/** A `Referer`, and the expected host in the analytics. */
export interface Referrer {
  header: string | undefined;
  host: string;
}

/** An alias host of the service under test. */
const ownHost = 'lnk.example';

/** Settings with which a web process interprets these headers. */
export const detailSettings = {
  COUNTRY_HEADER: 'CF-IPCountry',
  TRUSTED_PROXY_HOPS: '1',
  ALIAS_HOSTS: ownHost,
};

const knownCountries =
  'US IN DE GB FR BR JP CA ID MX IT ES RU TR KR PL NL AU PH VN AR UA TH CO SE CH BE AT RO CZ PT GR HU DK FI NO IE IL ' +
  'ZA NG EG KE MA SA AE PK BD LK NP MY SG HK TW CN NZ CL PE EC UY CR';
export const countries = knownCountries.split(' ');
/** Codes of a CDN for an unknown country and for Tor. */
const noCountries = ['XX', 'T1'];

const siteNames = ['www.google.com', 't.co', 'news.ycombinator.com', 'www.reddit.com', 'm.facebook.com'];
const sites = 297;

/** Forms of a `Referer`. */
const spellings: ((host: string, n: number) => string)[] = [
  (host) => `https://${host}/`,
  (host, n) => `https://${host}/search?q=linkmill&page=${n}#top`,
  (host) => `http://${host.toUpperCase()}/A/Page`,
  (host) => `https://${host}:8443/`,
  (host) => `https://user@${host}`,
  (host) => `https://${host}./`,
];

/** 300 distinct referrers, the most frequent first; one is an app, one a non-ASCII host name. */
export const referrers: Referrer[] = Array.from({ length: sites }, (_, n) => {
  const host = siteNames[n] ?? `site-${n}.example.${n % 2 ? 'org' : 'com'}`;
  return { header: spellings[n % spellings.length]!(host, n), host };
});
referrers.push(
  { header: 'android-app://com.google.android.gm/', host: 'com.google.android.gm' },
  { header: 'https://xn--bcher-kva.example/', host: 'xn--bcher-kva.example' },
  { header: 'http://[2001:db8::1]:8080/', host: '[2001:db8::1]' },
);

/** Values that mean no referrer. */
export const noReferrers: Referrer[] = [
  undefined,
  '',
  `https://${ownHost}/page`,
  'no url',
  'about:blank',
].map((header) => ({ header, host: '' }));

/** Creates clients: about every seventh is a bot, several share an address, and a few opt out of tracking. */
export function createVisitors(seed: string, count: number): { humans: Visitor[]; bots: Visitor[] } {
  const random = createRandom(`${seed} people`);
  const pickAgent = createZipf(personAgents, random);
  const pickBot = createZipf(botAgents, random);
  const pickCountry = createZipf(countries, random);
  const createVisitor = (n: number, agent: Agent): Visitor => {
    const code = random.next() < 0.02 ? random.pick(noCountries) : pickCountry();
    const address = addressOf(n);
    const privacy: Record<string, string> =
      random.next() < 0.04 ? { [random.pick(['DNT', 'Sec-GPC'])]: '1' } : {};
    return {
      ...agent,
      address,
      country: noCountries.includes(code) ? '' : code,
      isPrivate: Object.keys(privacy).length > 0,
      headers: {
        'User-Agent': agent.header,
        'CF-IPCountry': code,
        // A value from the client comes first.
        'X-Forwarded-For': random.next() < 0.1 ? `203.0.113.${random.between(1, 9)}, ${address}` : address,
        Accept: 'text/html,application/xhtml+xml,*/*;q=0.8',
        'Accept-Language': 'en',
        ...privacy,
      },
    };
  };
  const bots = Math.ceil(count / 7);
  return {
    humans: Array.from({ length: count - bots }, (_, n) => createVisitor(n, pickAgent())),
    bots: Array.from({ length: bots }, (_, n) => createVisitor(count + n, pickBot())),
  };
}

/** Returns a function with the headers of successive requests. */
export function createHeaders(seed: string, count: number): () => Record<string, string> {
  const random = createRandom(`${seed} headers`);
  const { humans, bots } = createVisitors(seed, count);
  const clients = [...humans, ...bots];
  const pickReferrer = createZipf(referrers, random);
  return () => ({ ...random.pick(clients).headers, Referer: pickReferrer().header! });
}

/** Three clients share an address; every fourth address is IPv6. */
function addressOf(n: number): string {
  const place = Math.floor(n / 3);
  if (place % 4 === 0) return `2001:db8:${(place >> 8).toString(16)}::${((place & 255) + 1).toString(16)}`;
  return `198.18.${(place >> 8) & 255}.${place & 255}`;
}
