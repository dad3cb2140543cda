import type { BotKind } from './bot-kinds.ts';

/** Batches are read by other releases too: no letter ever stands for anything else. */
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
/** Begins a line that no earlier release takes for an agent: such a release leaves what no click refers to alone. */
const mark = '\v';

/** The kinds of the agents before it as a line behind them, a letter each; no line where none has one. */
export function writeBotKinds(kinds: (BotKind | undefined)[]): string[] {
  if (kinds.every((kind) => kind === undefined)) return [];
  return [mark + kinds.map((kind) => (kind === undefined ? none : letters[kind])).join('')];
}

/** The agents' lines, and the kind of each; a letter that is not known is no kind. */
export function readBotKinds(lines: string[]): { agentTexts: string[]; kinds: (BotKind | undefined)[] } {
  const last = lines.at(-1);
  if (last === undefined || !last.startsWith(mark)) return { agentTexts: lines, kinds: [] };
  return {
    agentTexts: lines.slice(0, -1),
    kinds: last
      .slice(1)
      .split('')
      .map((letter) => kindOf.get(letter)),
  };
}
