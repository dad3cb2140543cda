import type { BotKind } from './bot-kinds.ts';

/** Other releases read the same batches, so a letter never changes its meaning. */
const letters: Record<BotKind, string> = {
  search: 's',
  preview: 'p',
  ai: 'a',
  monitor: 'm',
  feed: 'f',
  other: 'o',
};
const kindOf = new Map(Object.entries(letters).map(([kind, letter]) => [letter, kind as BotKind]));
const none = '-';
/** Prefix of the line with the kinds. Earlier releases do not parse it as a user agent, and ignore lines that no
 *  click refers to. */
const linePrefix = '\v';

/** Encodes the bot kinds as one more line, a letter for each user agent; no line when none has a kind. */
export function encodeBotKinds(kinds: (BotKind | undefined)[]): string[] {
  if (kinds.every((kind) => kind === undefined)) return [];
  return [linePrefix + kinds.map((kind) => (kind === undefined ? none : letters[kind])).join('')];
}

/** Splits the lines into user agents and their kinds. An unknown letter means no kind. */
export function decodeBotKinds(lines: string[]): { agentTexts: string[]; kinds: (BotKind | undefined)[] } {
  const last = lines.at(-1);
  if (last === undefined || !last.startsWith(linePrefix)) return { agentTexts: lines, kinds: [] };
  return {
    agentTexts: lines.slice(0, -1),
    kinds: last
      .slice(1)
      .split('')
      .map((letter) => kindOf.get(letter)),
  };
}
