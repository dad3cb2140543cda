import { hash } from 'node:crypto';
import Bowser from 'bowser';
import { LRUCache } from 'lru-cache';
import { copyOf } from '../../short-text.ts';
import { createReadBotKind } from './bot-kind.ts';
import type { BotKind } from './bot-kinds.ts';
import { isBotAgent, isDeclaredCrawler } from './bots.ts';
import { readDeviceKind } from './device-kind.ts';
import { findNamedBrowser, namedBrowsers } from './named-browsers.ts';
import { findNamedSystem, namedSystems } from './named-systems.ts';

/** Characters of a `User-Agent` that are parsed. */
const maxLength = 512;
/** Limits of the cache of parsed headers: entries, and characters in total. */
const cachedHeaders = 10_000;
const cachedCharacters = 2_000_000;

/** Client properties derived from a `User-Agent`. */
export interface UserAgent {
  browser: string;
  os: string;
  device: string;
  isBot: boolean;
  /** Undefined for a person. */
  botKind: BotKind | undefined;
  /** An unattended bot, such as a link preview or a search engine, as opposed to a tool that a person runs. */
  isCrawler: boolean;
  /** Digest of the header: 16 hexadecimal digits. */
  digest: string;
}

const browsers = namesOf(Bowser.BROWSER_MAP, 'Generic');
const systems = namesOf(Bowser.OS_MAP);
const devices = namesOf(Bowser.PLATFORMS_MAP, 'bot');

/** All non-empty names that `find` can return. */
export const browserNames: ReadonlySet<string> = new Set([...browsers, ...namedBrowsers]);
export const systemNames: ReadonlySet<string> = new Set([...systems, ...namedSystems]);

export type UserAgents = ReturnType<typeof createUserAgents>;

/** Parses `User-Agent` headers with bowser and our own rules; a name is empty when neither recognizes it. A missing
 *  header counts as a bot. */
export function createUserAgents() {
  const readBotKind = createReadBotKind();
  const cache = new LRUCache<string, UserAgent>({
    max: cachedHeaders,
    maxSize: cachedCharacters,
    sizeCalculation: (_agent, header) => header.length + 1,
  });

  function read(header: string): UserAgent {
    const digest = copyOf(hash('sha256', header).slice(0, 16));
    if (header.trim() === '')
      return { browser: '', os: '', device: '', isBot: true, botKind: 'other', isCrawler: false, digest };
    if (!isBotAgent(header))
      return { ...readPerson(header), isBot: false, botKind: undefined, isCrawler: false, digest };
    const botKind = readBotKind(header);
    const isCrawler = botKind !== 'other' || isDeclaredCrawler(header);
    return { ...readBot(header), isBot: true, botKind, isCrawler, digest };
  }

  return {
    /** Accepts a raw header of any length. */
    find(header: string): UserAgent {
      const shortened = header.length <= maxLength ? header : copyOf(header.slice(0, maxLength));
      let agent = cache.get(shortened);
      if (agent === undefined) {
        agent = read(shortened);
        cache.set(shortened, agent);
      }
      return agent;
    },
  };
}

type Names = Pick<UserAgent, 'browser' | 'os' | 'device'>;

function readBot(header: string): Names {
  const { browser, os, platform } = Bowser.parse(header);
  return {
    browser: knownNameOrEmpty(browsers, browser.name),
    os: knownNameOrEmpty(systems, os.name),
    device: knownNameOrEmpty(devices, platform.type),
  };
}

function readPerson(header: string): Names {
  const { browser, os } = Bowser.parse(header);
  return {
    browser: findNamedBrowser(header) ?? knownNameOrEmpty(browsers, browser.name),
    os: findNamedSystem(header) ?? knownNameOrEmpty(systems, os.name),
    device: readDeviceKind(header),
  };
}

/** For an unknown browser, bowser returns a name from the header, which the client controls. */
function knownNameOrEmpty(names: ReadonlySet<string>, name: string | undefined): string {
  return name !== undefined && names.has(name) ? name : '';
}

function namesOf(map: Record<string, string>, ...without: string[]): ReadonlySet<string> {
  return new Set(Object.values(map).filter((name) => !without.includes(name)));
}
