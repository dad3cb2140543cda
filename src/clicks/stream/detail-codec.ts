import type { ClickCount } from '../click-batch.ts';
import { readBotKinds, writeBotKinds } from '../enrichment/agents/bot-kind-letters.ts';
import type { BotKind } from '../enrichment/agents/bot-kinds.ts';
import { isShortText } from '../short-text.ts';
import { readAgent, writeAgent } from './user-agent-codec.ts';

/** Referrers (r), user agents (u) and behind them the kinds of bots, visitors (v), clicks (c). */
export const detailedFields = ['r', 'u', 'v', 'c'];

/** An entry of c: urlId, ms after the first time and, with a detail, country and referrer, user agent, and the count unless it is 1.
 *  Numbers are written to the base of 36; referrer and user agent are the places of their texts. */
const entryPattern = /^([\da-z]+),([\da-z]+)(?:,([A-Z]{2})?([\da-z]*),([\da-z]*)(?:,([\da-z]+))?)?$/;
const base64 = /^[\w-]*$/;
const textEnd = '\n';
/** No agent's text has it. */
const kindEnd = '\f';
const visitorDigits = 16;
const noVisitor = '0'.repeat(visitorDigits);

/** The values of the fields. Each text is written once, and a visitor as 8 bytes in base64. */
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
    const source = country + (referrer && placeOf(referrers, referrer));
    const agent = placeOf(agents, `${writeAgent(detail)}${kindEnd}${detail.botKind ?? ''}`);
    kinds[Number.parseInt(agent, 36)] = detail.botKind;
    return `${entry},${source},${agent}${count === 1 ? '' : `,${count.toString(36)}`}`;
  });
  const agentTexts = [...agents.keys()].map((text) => text.slice(0, text.indexOf(kindEnd)));
  const texts = [[...referrers.keys()], [...agentTexts, ...writeBotKinds(kinds)]].map((parts) =>
    parts.join(textEnd),
  );
  const hasVisitors = clicks.some(({ detail }) => detail?.visitor);
  const visitorText = hasVisitors ? Buffer.from(visitors, 'hex').toString('base64url') : '';
  return [...texts, visitorText, entries.join(';')];
}

/** Reads them again; undefined when they are anything else. Whether the numbers make sense is left to the caller. */
export function decodeDetailedClicks(values: string[], firstAtMs: number): ClickCount[] | undefined {
  const [referrerTexts = '', agentTexts = '', visitorText = '', clickTexts = ''] = values;
  const referrers = split(referrerTexts);
  const { kinds, agentTexts: writtenAgents } = readBotKinds(split(agentTexts));
  const agents = writtenAgents.map((text, i) => {
    const agent = readAgent(text);
    return agent?.isBot && kinds[i] !== undefined ? Object.assign(agent, { botKind: kinds[i] }) : agent;
  });
  const visitors = Buffer.from(visitorText, 'base64url').toString('hex');
  if (!referrers.every(isShortText) || !base64.test(visitorText)) return undefined;
  let detailed = 0;

  function readEntry(text: string): ClickCount | undefined {
    const match = entryPattern.exec(text);
    if (!match) return undefined;
    const [, urlIdText, afterText, country = '', place = '', agentPlace = '', countText = '1'] = match;
    const click = {
      urlId: Number.parseInt(urlIdText!, 36),
      count: Number.parseInt(countText, 36),
      lastAtMs: firstAtMs + Number.parseInt(afterText!, 36),
    };
    if (agentPlace === '') return country + place === '' ? click : undefined;
    const agent = agents[Number.parseInt(agentPlace, 36)];
    const referrer = place === '' ? '' : referrers[Number.parseInt(place, 36)];
    if (agent === undefined || referrer === undefined) return undefined;
    const visitor = visitors.slice(visitorDigits * detailed, visitorDigits * (detailed += 1));
    return {
      ...click,
      detail: { country, referrer, ...agent, visitor: visitor === noVisitor ? '' : visitor },
    };
  }

  const clicks = clickTexts.split(';').map(readEntry);
  const hasAll = visitors.length === 0 || visitors.length === visitorDigits * detailed;
  return hasAll && clicks.every((click) => click !== undefined) ? clicks : undefined;
}

/** The place of a text, which is a new one where it has none. */
function placeOf(places: Map<string, string>, text: string): string {
  const known = places.get(text);
  if (known !== undefined) return known;
  const place = places.size.toString(36);
  places.set(text, place);
  return place;
}

const split = (texts: string) => (texts === '' ? [] : texts.split(textEnd));
