import { type Batch, type ClickCount, isCount, isTime } from '../click-batch.ts';
import { isShortText } from '../short-text.ts';
import type { Agent } from './agent-codec.ts';

/** Fields of the stream entries of 0.1.0: producer (p), sequence number (s), accepted (a), first time (t), and clicks (c); with details also
 *  referrers (r), user agents (u) and visitors (v). */
const headFields = ['p', 's', 'a', 't'];
const plainFields = [...headFields, 'c'];
const detailedFields = [...headFields, 'r', 'u', 'v', 'c'];

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** One click with details: URL ID, ms after the first time and, with details, country and referrer, user agent, and the count
 *  unless it is 1. Numbers are base 36; referrer and user agent are indexes into their lists. */
const entryPattern = /^([\da-z]+),([\da-z]+)(?:,([A-Z]{2})?([\da-z]*),([\da-z]*)(?:,([\da-z]+))?)?$/;
const base64 = /^[\w-]*$/;
const textEnd = '\n';
const visitorDigits = 16;
const noVisitor = '0'.repeat(visitorDigits);

/** Names that 0.1.0 wrote as one letter; `literal` marks a name of one character. */
const names: Record<string, string> = {
  A: 'Android',
  C: 'Chrome',
  D: 'desktop',
  E: 'Microsoft Edge',
  F: 'Firefox',
  I: 'iOS',
  L: 'Linux',
  M: 'macOS',
  O: 'Opera',
  P: 'mobile',
  S: 'Safari',
  T: 'tablet',
  U: 'Samsung Internet for Android',
  W: 'Windows',
};
const literal = '\v';

/** Decodes a batch of 0.1.0, which may wait while the service is upgraded; undefined for anything else. */
export function decodeTextBatch(fields: string[]): Batch | undefined {
  const isPlain = hasNames(fields, plainFields);
  if (!isPlain && !hasNames(fields, detailedFields)) return undefined;
  const [producer, seqText, acceptedText, firstAtText, ...clickTexts] = fields.filter((_, i) => i % 2 === 1);
  if (!uuid.test(producer!)) return undefined;
  const seq = Number(seqText);
  const accepted = Number(acceptedText);
  const clicks = (isPlain ? decodePlain : decodeDetailed)(clickTexts, Number(firstAtText));
  const isValid =
    isCount(seq) &&
    isCount(accepted) &&
    clicks?.every((click) => isCount(click.urlId) && isCount(click.count) && isTime(click.lastAtMs));
  return isValid ? { producer: producer!, seq, accepted, clicks: clicks! } : undefined;
}

/** One `urlId,count,ms after the first time` per click. */
function decodePlain([text]: string[], firstAtMs: number): ClickCount[] {
  return text!.split(';').map((entry) => {
    const [urlId = NaN, count = NaN, afterMs = NaN, ...rest] = entry.split(',').map(Number);
    return { urlId, count, lastAtMs: rest.length > 0 ? NaN : firstAtMs + afterMs };
  });
}

function decodeDetailed(values: string[], firstAtMs: number): ClickCount[] | undefined {
  const [referrerTexts = '', agentTexts = '', visitorText = '', clickTexts = ''] = values;
  const referrers = split(referrerTexts);
  const agents = split(agentTexts).map(decodeAgent);
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
    const digits = visitors.slice(visitorDigits * detailedCount, visitorDigits * (detailedCount += 1));
    const visitor = digits === noVisitor ? '' : digits;
    return { urlId, count, lastAtMs, detail: { country, referrer, ...agent, visitor } };
  }

  const clicks = clickTexts.split(';').map(decodeEntry);
  const hasAllVisitors = visitors.length === 0 || visitors.length === visitorDigits * detailedCount;
  return hasAllVisitors && clicks.every((click) => click !== undefined) ? clicks : undefined;
}

/** Browser, operating system and device, and 1 for a bot, separated by tabs. */
function decodeAgent(text: string): Agent | undefined {
  const parts = text.split('\t');
  const bot = parts.pop();
  const [browser, os, device] = parts.map((part) =>
    part.length === 1 ? names[part] : part.length === 2 && part.endsWith(literal) ? part.slice(0, 1) : part,
  );
  if (parts.length !== 3 || browser === undefined || os === undefined || device === undefined)
    return undefined;
  const isValid = (bot === '' || bot === '1') && [browser, os, device].every(isShortText);
  return isValid ? { browser, os, device, isBot: bot === '1' } : undefined;
}

const hasNames = (fields: string[], expected: string[]) =>
  fields.length === 2 * expected.length && expected.every((name, i) => fields[2 * i] === name);
const split = (texts: string) => (texts === '' ? [] : texts.split(textEnd));
