import { type Batch, type ClickCount, isCount, isTime } from '../click-batch.ts';
import type { ClickDetail } from '../click-detail.ts';
import { isShortText } from '../short-text.ts';
import { type Agent, agentKey, readAgent, writeAgent } from './agent-codec.ts';
import { type ByteReader, createByteReader, createByteWriter, UnreadableBytes } from './bytes.ts';

/** A batch as the value of a stream entry. */
export interface EncodedBatch {
  producer: string;
  bytes: Buffer;
}

/** Is in no text. */
const textEnd = '\n';
const visitorBytes = 8;
const noVisitor = '0'.repeat(2 * visitorBytes);

const writer = createByteWriter();

/** Encodes a batch. Each text is stored once, and a click refers to it: it takes about 4 bytes, 14 with details, and its share of the texts. All
 *  numbers are varints:
 *
 *  - producer (16 bytes), sequence number, accepted, first time, lowest URL ID
 *  - countries, 2 letters each; referrers, separated by line breaks; number of user agents, and these
 *  - twice the number of clicks, and 1 if visitors follow
 *  - each click: URL ID and time after the lowest; twice its user agent, counted from 1, or 0 without details, and 1 if its count follows; its count unless it
 *    is 1; with details its country and referrer, counted from 1, as one number
 *  - the visitor ID of each click with details (8 bytes) */
export function encodeBatch({ producer, seq, accepted, clicks }: Batch): Buffer {
  const countries = createIndex<string>();
  const referrers = createIndex<string>();
  const agents = createIndex<Agent>();
  let [firstAtMs, lowestId] = [Infinity, Infinity];
  let visitors = '';
  let hasVisitors = false;
  /** Three numbers for each click with details. */
  const indexes: number[] = [];
  for (const { urlId, lastAtMs, detail } of clicks) {
    if (lastAtMs < firstAtMs) firstAtMs = lastAtMs;
    if (urlId < lowestId) lowestId = urlId;
    if (detail === undefined) continue;
    const { country, referrer, visitor } = detail;
    hasVisitors ||= visitor !== '';
    visitors += visitor || noVisitor;
    indexes.push(
      agents.add(agentKey(detail), detail),
      country === '' ? 0 : countries.add(country, country),
      referrer === '' ? 0 : referrers.add(referrer, referrer),
    );
  }

  writer.clear();
  writer.hex(producer.replaceAll('-', ''));
  for (const value of [seq, accepted, firstAtMs, lowestId]) writer.number(value);
  writer.text(countries.items.join(''));
  writer.text(referrers.items.join(textEnd));
  writer.number(agents.items.length);
  for (const agent of agents.items) writeAgent(writer, agent);
  writer.number(2 * clicks.length + (hasVisitors ? 1 : 0));
  let next = 0;
  for (const { urlId, count, lastAtMs, detail } of clicks) {
    writer.number(urlId - lowestId);
    writer.number(lastAtMs - firstAtMs);
    writer.number((detail === undefined ? 0 : 2 * indexes[next++]!) + (count === 1 ? 0 : 1));
    if (count !== 1) writer.number(count);
    if (detail) writer.number(indexes[next++]! * (referrers.items.length + 1) + indexes[next++]!);
  }
  if (hasVisitors) writer.hex(visitors);
  return writer.take();
}

/** Decodes a batch; undefined for anything else. */
export function decodeBatch(bytes: Buffer): Batch | undefined {
  try {
    const reader = createByteReader(bytes);
    const batch = readBatch(reader);
    return reader.isAtEnd ? batch : undefined;
  } catch (error) {
    if (error instanceof UnreadableBytes) return undefined;
    throw error;
  }
}

function readBatch(reader: ByteReader): Batch {
  const producer = toUuid(reader.hex(16));
  const seq = positive(reader.number());
  const accepted = positive(reader.number());
  const firstAtMs = reader.number();
  const lowestId = reader.number();
  // The first of each is the unknown one.
  const countries = ['', ...(checked(reader.text(), isCountries).match(/../g) ?? [])];
  const referrers = ['', ...split(reader.text())];
  if (!referrers.every(isShortText)) throw new UnreadableBytes();
  const agents: Agent[] = [];
  for (let left = reader.number(); left > 0; left--) agents.push(readAgent(reader));

  const sizes = reader.number();
  const clicks: ClickCount[] = [];
  const details: ClickDetail[] = [];
  for (let left = positive(Math.floor(sizes / 2)); left > 0; left--) {
    const urlId = positive(lowestId + reader.number());
    const lastAtMs = checked(firstAtMs + reader.number(), isTime);
    const head = reader.number();
    const count = head % 2 === 0 ? 1 : positive(reader.number());
    const click: ClickCount = { urlId, count, lastAtMs };
    clicks.push(click);
    if (head < 2) continue;
    const { browser, os, device, isBot, botKind } = itemOf(agents, Math.floor(head / 2) - 1);
    const source = reader.number();
    const country = itemOf(countries, Math.floor(source / referrers.length));
    const referrer = itemOf(referrers, source % referrers.length);
    click.detail = { country, referrer, browser, os, device, isBot, botKind, visitor: '' };
    details.push(click.detail);
  }
  if (sizes % 2 === 1) readVisitors(reader, details);
  return { producer, seq, accepted, clicks };
}

function readVisitors(reader: ByteReader, details: ClickDetail[]): void {
  const digits = reader.hex(visitorBytes * details.length);
  for (const [i, detail] of details.entries()) {
    const visitor = digits.slice(i * noVisitor.length, (i + 1) * noVisitor.length);
    if (visitor !== noVisitor) detail.visitor = visitor;
  }
}

/** A list without repetition. `add` returns the place of an item, counted from 1. */
function createIndex<Item>() {
  const places = new Map<string, number>();
  const items: Item[] = [];
  return {
    items,
    add(key: string, item: Item): number {
      const place = places.get(key);
      if (place !== undefined) return place;
      items.push(item);
      places.set(key, items.length);
      return items.length;
    },
  };
}

function itemOf<Item>(items: Item[], place: number): Item {
  const item = items[place];
  if (item === undefined) throw new UnreadableBytes();
  return item;
}

const toUuid = (digits: string) =>
  `${digits.slice(0, 8)}-${digits.slice(8, 12)}-${digits.slice(12, 16)}-${digits.slice(16, 20)}-${digits.slice(20)}`;

const isCountries = (text: string) => /^(?:[A-Z]{2})*$/.test(text);
const split = (texts: string) => (texts === '' ? [] : texts.split(textEnd));

function checked<Value>(value: Value, isValid: (value: Value) => boolean): Value {
  if (!isValid(value)) throw new UnreadableBytes();
  return value;
}

const positive = (value: number) => checked(value, isCount);
