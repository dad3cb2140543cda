import { createRandom, createZipf } from '../../support/random.ts';
import { type Agent, personAgents } from './agents.ts';
import { botAgents } from './bot-agents.ts';

/** Who clicks: a browser or a bot at an address. */
export interface Person extends Agent {
  address: string;
  /** As the analytics should have it; empty where the CDN does not know. */
  country: string;
  /** Headers besides the referrer, as a CDN and a proxy in front leave them. */
  headers: Record<string, string>;
  /** Whether no visitor may be told by what it sends. */
  isPrivate: boolean;
}

/** A `Referer`, and the host that the analytics should have. */
export interface Referrer {
  header: string | undefined;
  host: string;
}

/** A host name of the service under test, besides that in `BASE_URL`. */
const ownHost = 'lnk.example';

/** What a web process must be told to see them as they are. */
export const detailSettings = {
  COUNTRY_HEADER: 'CF-IPCountry',
  TRUSTED_PROXY_HOPS: '1',
  ALIAS_HOSTS: ownHost,
};

const knownCountries =
  'US IN DE GB FR BR JP CA ID MX IT ES RU TR KR PL NL AU PH VN AR UA TH CO SE CH BE AT RO CZ PT GR HU DK FI NO IE IL ' +
  'ZA NG EG KE MA SA AE PK BD LK NP MY SG HK TW CN NZ CL PE EC UY CR';
export const countries = knownCountries.split(' ');
/** How a CDN says that it does not know, and that it is Tor. */
const noCountries = ['XX', 'T1'];

const siteNames = ['www.google.com', 't.co', 'news.ycombinator.com', 'www.reddit.com', 'm.facebook.com'];
const sites = 297;

/** Ways to write where somebody comes from. */
const spellings: ((host: string, n: number) => string)[] = [
  (host) => `https://${host}/`,
  (host, n) => `https://${host}/search?q=linkmill&page=${n}#top`,
  (host) => `http://${host.toUpperCase()}/A/Page`,
  (host) => `https://${host}:8443/`,
  (host) => `https://user@${host}`,
  (host) => `https://${host}./`,
];

/** 300 different referrers, the most usual first; one is an app's, and one a host name in another script. */
export const referrers: Referrer[] = Array.from({ length: sites }, (_, n) => {
  const host = siteNames[n] ?? `site-${n}.example.${n % 2 ? 'org' : 'com'}`;
  return { header: spellings[n % spellings.length]!(host, n), host };
});
referrers.push(
  { header: 'android-app://com.google.android.gm/', host: 'com.google.android.gm' },
  { header: 'https://xn--bcher-kva.example/', host: 'xn--bcher-kva.example' },
  { header: 'http://[2001:db8::1]:8080/', host: '[2001:db8::1]' },
);

/** What stands for no referrer at all. */
export const noReferrers: Referrer[] = [
  undefined,
  '',
  `https://${ownHost}/page`,
  'no url',
  'about:blank',
].map((header) => ({ header, host: '' }));

/** So many people, of whom every seventh or so is a bot, several at one address, and a few do not want to be told from others. */
export function createPeople(seed: string, count: number): { persons: Person[]; bots: Person[] } {
  const random = createRandom(`${seed} people`);
  const pickAgent = createZipf(personAgents, random);
  const pickBot = createZipf(botAgents, random);
  const pickCountry = createZipf(countries, random);
  const createPerson = (n: number, agent: Agent): Person => {
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
        // What a client writes into it itself comes first.
        'X-Forwarded-For': random.next() < 0.1 ? `203.0.113.${random.between(1, 9)}, ${address}` : address,
        Accept: 'text/html,application/xhtml+xml,*/*;q=0.8',
        'Accept-Language': 'en',
        ...privacy,
      },
    };
  };
  const bots = Math.ceil(count / 7);
  return {
    persons: Array.from({ length: count - bots }, (_, n) => createPerson(n, pickAgent())),
    bots: Array.from({ length: bots }, (_, n) => createPerson(count + n, pickBot())),
  };
}

/** The headers of one request after the other, as so many people send them. */
export function createHeaders(seed: string, count: number): () => Record<string, string> {
  const random = createRandom(`${seed} headers`);
  const { persons, bots } = createPeople(seed, count);
  const everybody = [...persons, ...bots];
  const pickReferrer = createZipf(referrers, random);
  return () => ({ ...random.pick(everybody).headers, Referer: pickReferrer().header! });
}

/** Three share an address; every fourth address is one of IPv6. */
function addressOf(n: number): string {
  const place = Math.floor(n / 3);
  if (place % 4 === 0) return `2001:db8:${(place >> 8).toString(16)}::${((place & 255) + 1).toString(16)}`;
  return `198.18.${(place >> 8) & 255}.${place & 255}`;
}
