import type { ClickDetail } from '../click-detail.ts';
import type { BotKind } from '../enrichment/agents/bot-kinds.ts';
import { isShortText } from '../short-text.ts';
import { type ByteReader, type ByteWriter, UnreadableBytes } from './bytes.ts';

/** What a user agent tells. */
export type Agent = Pick<ClickDetail, 'browser' | 'os' | 'device' | 'isBot' | 'botKind'>;

/** Names that take one byte. Other releases read the same batches: a name keeps its place, and new ones follow the last. */
const names = [
  '',
  'Android',
  'Chrome',
  'desktop',
  'Microsoft Edge',
  'Firefox',
  'iOS',
  'Linux',
  'macOS',
  'Opera',
  'mobile',
  'Safari',
  'tablet',
  'Samsung Internet for Android',
  'Windows',
];
/** 0 means that a text follows. */
const codeOf = new Map(names.map((name, i) => [name, i + 1]));

/** Kinds of bots; each keeps its place as well. */
const kinds: BotKind[] = ['search', 'preview', 'ai', 'monitor', 'feed', 'other'];
const person = 0;
const unknownBot = 1;

/** Distinguishes agents: no name contains a line break. */
export const agentKey = ({ browser, os, device, isBot, botKind }: Agent) =>
  `${browser}\n${os}\n${device}\n${isBot ? 1 : 0}${botKind ?? ''}`;

export function writeAgent(writer: ByteWriter, { browser, os, device, isBot, botKind }: Agent): void {
  for (const name of [browser, os, device]) {
    const code = codeOf.get(name) ?? 0;
    writer.number(code);
    if (code === 0) writer.text(name);
  }
  const kind = botKind === undefined ? -1 : kinds.indexOf(botKind);
  writer.number(isBot ? unknownBot + 1 + kind : person);
}

/** Reads what `writeAgent` wrote. A kind of a later release is unknown. Throws UnreadableBytes. */
export function readAgent(reader: ByteReader): Agent {
  const [browser, os, device] = [readName(reader), readName(reader), readName(reader)];
  const bot = reader.number();
  return { browser, os, device, isBot: bot !== person, botKind: kinds[bot - unknownBot - 1] };
}

function readName(reader: ByteReader): string {
  const code = reader.number();
  const name = code === 0 ? reader.text() : names[code - 1];
  if (name === undefined || !isShortText(name)) throw new UnreadableBytes();
  return name;
}
