import type { ClickCount } from '../click-batch.ts';
import type { ClickDetail } from '../click-detail.ts';
import { decodeBotKinds, encodeBotKinds } from '../enrichment/agents/bot-kind-letters.ts';
import type { BotKind } from '../enrichment/agents/bot-kinds.ts';
import { isShortText } from '../short-text.ts';
import { decodeUserAgent, encodeUserAgent } from './user-agent-codec.ts';

/** Field names: referrers (r), user agents followed by bot kinds (u), visitors (v), clicks (c). */
export const detailedFields = ['r', 'u', 'v', 'c'];

/** One click in c: URL ID, ms after the first time and, with details, country and referrer, user agent, and the count
 *  unless it is 1. Numbers are base 36; referrer and user agent are indexes into their lists. */
const entryPattern = /^([\da-z]+),([\da-z]+)(?:,([A-Z]{2})?([\da-z]*),([\da-z]*)(?:,([\da-z]+))?)?$/;
const base64 = /^[\w-]*$/;
const textEnd = '\n';
/** Does not occur in an encoded user agent. */
const kindEnd = '\f';
const visitorDigits = 16;
const noVisitor = '0'.repeat(visitorDigits);

/** Encodes the field values. Each text is stored once, and a visitor ID as 8 bytes in base64. */
export function encodeDetailedClicks(clicks: ClickCount[], firstAtMs: number): string[] {
  const referrers = new Map<string, string>();
  const agents = new Map<string, string>();
  const kinds: (BotKind | undefined)[] = [];
  let visitors = '';
  const entries = clicks.map(({ urlId, count, lastAtMs, detail }) => {
    const entry = `${urlId.toString(36)},${(lastAtMs - firstAtMs).toString(36)}`;
    if (detail === undefined) return count === 1 ? entry : `${entry},,,${count.toString(36)}`;
    const { country, referrer, visitor } = detail;
    visitors += visitor || noVisitor;
    const source = country + (referrer && indexOf(referrers, referrer));
    const agent = indexOf(agents, `${encodeUserAgent(detail)}${kindEnd}${detail.botKind ?? ''}`);
    kinds[Number.parseInt(agent, 36)] = detail.botKind;
    return `${entry},${source},${agent}${count === 1 ? '' : `,${count.toString(36)}`}`;
  });
  const agentTexts = [...agents.keys()].map((text) => text.slice(0, text.indexOf(kindEnd)));
  const texts = [[...referrers.keys()], [...agentTexts, ...encodeBotKinds(kinds)]].map((parts) =>
    parts.join(textEnd),
  );
  const hasVisitors = clicks.some(({ detail }) => detail?.visitor);
  const visitorText = hasVisitors ? Buffer.from(visitors, 'hex').toString('base64url') : '';
  return [...texts, visitorText, entries.join(';')];
}

type DecodedAgent = Pick<ClickDetail, 'browser' | 'os' | 'device' | 'isBot' | 'botKind'>;

/** Decodes the field values; undefined for anything else. The caller validates the numbers. */
export function decodeDetailedClicks(values: string[], firstAtMs: number): ClickCount[] | undefined {
  const [referrerTexts = '', agentTexts = '', visitorText = '', clickTexts = ''] = values;
  const referrers = split(referrerTexts);
  const { kinds, agentTexts: encodedAgents } = decodeBotKinds(split(agentTexts));
  const agents = encodedAgents.map((text, i): DecodedAgent | undefined => {
    const agent = decodeUserAgent(text);
    return agent?.isBot && kinds[i] !== undefined ? Object.assign(agent, { botKind: kinds[i] }) : agent;
  });
  const visitors = Buffer.from(visitorText, 'base64url').toString('hex');
  if (!referrers.every(isShortText) || !base64.test(visitorText)) return undefined;
  let detailedCount = 0;

  function decodeEntry(text: string): ClickCount | undefined {
    const match = entryPattern.exec(text);
    if (!match) return undefined;
    const [, urlIdText, afterText, country = '', referrerIndex = '', agentIndex = '', countText = '1'] =
      match;
    const urlId = Number.parseInt(urlIdText!, 36);
    const count = Number.parseInt(countText, 36);
    const lastAtMs = firstAtMs + Number.parseInt(afterText!, 36);
    if (agentIndex === '') return country + referrerIndex === '' ? { urlId, count, lastAtMs } : undefined;
    const agent = agents[Number.parseInt(agentIndex, 36)];
    const referrer = referrerIndex === '' ? '' : referrers[Number.parseInt(referrerIndex, 36)];
    if (agent === undefined || referrer === undefined) return undefined;
    const visitor = visitors.slice(visitorDigits * detailedCount, visitorDigits * (detailedCount += 1));
    const { browser, os, device, isBot, botKind } = agent;
    const detail = {
      country,
      referrer,
      browser,
      os,
      device,
      isBot,
      botKind,
      visitor: visitor === noVisitor ? '' : visitor,
    };
    return { urlId, count, lastAtMs, detail };
  }

  const clicks = clickTexts.split(';').map(decodeEntry);
  const hasAllVisitors = visitors.length === 0 || visitors.length === visitorDigits * detailedCount;
  return hasAllVisitors && clicks.every((click) => click !== undefined) ? clicks : undefined;
}

/** Returns the index of a text in base 36, and adds a new text to the list. */
function indexOf(indexes: Map<string, string>, text: string): string {
  const existing = indexes.get(text);
  if (existing !== undefined) return existing;
  const index = indexes.size.toString(36);
  indexes.set(text, index);
  return index;
}

const split = (texts: string) => (texts === '' ? [] : texts.split(textEnd));
