import { hash } from 'node:crypto';
import Bowser from 'bowser';
import { isbot } from 'isbot';
import { LRUCache } from 'lru-cache';
import { copyOf } from './short-text.ts';

/** Characters of a `User-Agent` that are looked at. */
const maxLength = 512;
/** Headers that are known by heart: at most so many, with so many characters in all. */
const knownHeaders = 10_000;
const knownCharacters = 2_000_000;

/** What a `User-Agent` says about a client. */
export interface UserAgent {
  browser: string;
  os: string;
  device: string;
  isBot: boolean;
  /** Stands for the header: sixteen hexadecimal digits. */
  digest: string;
}

const browsers = namesOf(Bowser.BROWSER_MAP, 'Generic');
const systems = namesOf(Bowser.OS_MAP);
const devices = namesOf(Bowser.PLATFORMS_MAP, 'bot');

export type UserAgents = ReturnType<typeof createUserAgents>;

/** Reads `User-Agent` headers: the names are bowser's and no others, empty where it knows none. Without a header it is a bot. */
export function createUserAgents() {
  const known = new LRUCache<string, UserAgent>({
    max: knownHeaders,
    maxSize: knownCharacters,
    sizeCalculation: (_agent, header) => header.length + 1,
  });

  return {
    /** Takes a header of any length, as it came. */
    find(header: string): UserAgent {
      const cut = header.length <= maxLength ? header : copyOf(header.slice(0, maxLength));
      let agent = known.get(cut);
      if (agent === undefined) {
        agent = read(cut);
        known.set(cut, agent);
      }
      return agent;
    },
  };
}

function read(header: string): UserAgent {
  const digest = copyOf(hash('sha256', header).slice(0, 16));
  if (header.trim() === '') return { browser: '', os: '', device: '', isBot: true, digest };
  const { browser, os, platform } = Bowser.parse(header);
  return {
    browser: among(browsers, browser.name),
    os: among(systems, os.name),
    // Bowser knows the system, and not what it runs on.
    device: os.name === Bowser.OS_MAP['ChromeOS'] ? 'desktop' : among(devices, platform.type),
    isBot: platform.type === 'bot' || isbot(header),
    digest,
  };
}

/** Bowser takes a name that it does not know from the header, which anybody may write. */
function among(names: ReadonlySet<string>, name: string | undefined): string {
  return name !== undefined && names.has(name) ? name : '';
}

function namesOf(map: Record<string, string>, ...without: string[]): ReadonlySet<string> {
  return new Set(Object.values(map).filter((name) => !without.includes(name)));
}
