import { webSettings } from './web.ts';
import { workerSettings } from './worker.ts';

/** Shorter names are similar to too many others. */
const minLength = 7;
/** Most typing errors of a name; a short name may have fewer. */
const maxMistakes = (name: string) => (name.length < 13 ? 1 : 2);

/** The environment variables that look like a misspelt setting, with that setting. */
export function misspelt(variables: string[]): [name: string, meant: string][] {
  const settings = [...Object.keys(webSettings.shape), ...Object.keys(workerSettings.shape)];
  const known = new Set(settings.flatMap((name) => [name, `${name}_FILE`]));
  return variables
    .filter((name) => name.length >= minLength && !known.has(name))
    .flatMap((name): [string, string][] => {
      const meant = [...known].find((setting) => isClose(name, setting));
      return meant === undefined ? [] : [[name, meant]];
    });
}

/** Whether two names share the first word and differ by at most `maxMistakes` letters. */
function isClose(name: string, setting: string): boolean {
  const [first] = setting.split('_');
  if (!name.startsWith(`${first}_`) || Math.abs(name.length - setting.length) > maxMistakes(setting))
    return false;
  return distance(name, setting) <= maxMistakes(setting);
}

/** The Levenshtein distance of two texts. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (const [index, letter] of from.split('').entries()) {
    const next = [index + 1];
    for (let column = 1; column <= to.length; column++) {
      const replaced = row[column - 1]! + (letter === to[column - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[column]! + 1, next[column - 1]! + 1));
    }
    row = next;
  }
  return row[to.length]!;
}
