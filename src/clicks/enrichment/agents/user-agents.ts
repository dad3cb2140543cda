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
  /** Undefined for a person. */
  botKind: BotKind | undefined;
  /** A bot that comes by itself, such as a link preview or a search engine, and no tool that a person runs. */
  isCrawler: boolean;
  /** Stands for the header: sixteen hexadecimal digits. */
  digest: string;
}

const browsers = namesOf(Bowser.BROWSER_MAP, 'Generic');
const systems = namesOf(Bowser.OS_MAP);
const devices = namesOf(Bowser.PLATFORMS_MAP, 'bot');

/** The names of browsers and of systems that `find` returns, beside the empty one. */
export const browserNames: ReadonlySet<string> = new Set([...browsers, ...namedBrowsers]);
export const systemNames: ReadonlySet<string> = new Set([...systems, ...namedSystems]);

export type UserAgents = ReturnType<typeof createUserAgents>;

/** Reads `User-Agent` headers: the names are bowser's and our own, empty where neither has one. Without a header it is a bot. */
export function createUserAgents() {
  const readBotKind = createReadBotKind();
  const known = new LRUCache<string, UserAgent>({
    max: knownHeaders,
    maxSize: knownCharacters,
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

type Names = Pick<UserAgent, 'browser' | 'os' | 'device'>;

function readBot(header: string): Names {
  const { browser, os, platform } = Bowser.parse(header);
  return {
    browser: among(browsers, browser.name),
    os: among(systems, os.name),
    device: among(devices, platform.type),
  };
}

function readPerson(header: string): Names {
  const { browser, os } = Bowser.parse(header);
  return {
    browser: findNamedBrowser(header) ?? among(browsers, browser.name),
    os: findNamedSystem(header) ?? among(systems, os.name),
    device: readDeviceKind(header),
  };
}

/** Bowser takes a name that it does not know from the header, which anybody may write. */
function among(names: ReadonlySet<string>, name: string | undefined): string {
  return name !== undefined && names.has(name) ? name : '';
}

function namesOf(map: Record<string, string>, ...without: string[]): ReadonlySet<string> {
  return new Set(Object.values(map).filter((name) => !without.includes(name)));
}
